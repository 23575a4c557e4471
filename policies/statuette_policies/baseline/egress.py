"""What may leave the deployment, and what for. A processor must declare the same; all else is denied."""

from __future__ import annotations

from statuette.policy import Egress

EGRESS = (
    Egress(
        id="purpose.analytics",
        purpose="analytics",
        categories=("device", "style_choices", "usage_record"),
        processors=(),
        sentence="What is counted of how you use the service stays with us: nobody else gets it ({categories}).",
        sentence_in={
            "de": (
                "Was davon gezählt wird, wie du den Dienst nutzt, bleibt bei uns: Niemand sonst bekommt es ({categories})."
            )
        },
    ),
    Egress(
        id="purpose.security",
        purpose="security",
        categories=("device", "credential"),
        processors=(),
        sentence=(
            "Signs of misuse, such as many failed sign-ins from one network, are looked at by ourselves and given to nobody"
            " ({categories})."
        ),
        sentence_in={
            "de": (
                "Anzeichen von Missbrauch, etwa viele gescheiterte Anmeldungen aus einem Netz, sehen wir selbst an und geben sie"
                " niemandem ({categories})."
            )
        },
    ),
    Egress(
        id="purpose.improvement",
        purpose="improvement",
        categories=("figurine", "style_choices", "usage_record"),
        sentence=(
            "To improve models, nothing of yours is read unless you have agreed to that, and nothing more once you take that back"
            " ({categories})."
        ),
        sentence_in={
            "de": (
                "Um Modelle zu verbessern, wird nichts von dir gelesen, wenn du nicht eingewilligt hast, und nichts mehr, sobald du"
                " das zurücknimmst ({categories})."
            )
        },
    ),
    Egress(
        id="processor.generation",
        purpose="generation",
        # What a person types onto a figurine is part of the prompt, so it leaves too, and the notice must say so.
        categories=("photo", "figurine", "style_choices", "prompt_variables"),
        sentence=(
            "To make a figurine, the image model in use gets what the figurine is made from, and nothing else"
            " ({categories})."
        ),
        sentence_in={
            "de": (
                "Um eine Figur zu machen, bekommt das verwendete Bildmodell, woraus sie gemacht wird, und sonst nichts"
                " ({categories})."
            )
        },
    ),
    Egress(
        id="processor.service_mail",
        purpose="service_mail",
        categories=("email", "account_profile", "correspondence"),
        sentence="To deliver a message you need, the mail service gets the message and whom it is for ({categories}).",
        sentence_in={
            "de": (
                "Um eine nötige Nachricht zuzustellen, bekommt der Maildienst die Nachricht und die Angabe, für wen sie ist"
                " ({categories})."
            )
        },
    ),
    Egress(
        id="processor.marketing",
        purpose="marketing",
        categories=("email",),
        sentence="To deliver news that you agreed to, the mail service gets the message and whom it is for ({categories}).",
        sentence_in={
            "de": (
                "Um Neuigkeiten zuzustellen, in die du eingewilligt hast, bekommt der Maildienst die Nachricht und die Angabe,"
                " für wen sie ist ({categories})."
            )
        },
    ),
)
