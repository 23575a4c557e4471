"""What people are told of without asking."""

from __future__ import annotations

from statuette.policy import Channel, Event, Moment, Notify

NOTIFICATIONS = (
    Notify(
        id="policy.change",
        event=Event.policy_changed,
        channel=Channel.email,
        moment=Moment.after,
        sentence=(
            "When this policy changes, the new version is posted and everybody with an account gets a letter that leads to what"
            " is different. Where you had agreed to what has changed, you are asked again, and until you answer it counts as"
            " a no."
        ),
        sentence_in={
            "de": (
                "Wenn sich diese Erklärung ändert, wird die neue Fassung veröffentlicht, und alle mit einem Konto bekommen einen"
                " Brief, der zu dem führt, was anders ist. Hattest du in etwas eingewilligt, das sich geändert hat, wirst du neu"
                " gefragt; bis du antwortest, gilt es als Nein."
            )
        },
    ),
)
