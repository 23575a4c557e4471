"""What may leave the deployment, and what for. A processor must declare the same; all else is denied."""

from __future__ import annotations

from statuette.policy import Egress

EGRESS = (
    Egress(
        id="processor.generation",
        purpose="generation",
        # What a person types onto a figurine is part of the prompt, so it leaves too, and the notice must say so.
        categories=("photo", "figurine", "style_choices", "prompt_variables"),
        sentence=(
            "To make a figurine, the image model in use gets the photo or the earlier figurine it starts from,"
            " the style and options you picked, and the words you typed. Your e-mail address is not among them."
        ),
    ),
    Egress(
        id="processor.service_mail",
        purpose="service_mail",
        categories=("email", "account_profile"),
        sentence="To deliver a message you need, the mail service gets your e-mail address, your name and the message.",
    ),
)
