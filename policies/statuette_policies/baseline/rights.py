"""What people may ask for, as far as the platform itself answers."""

from __future__ import annotations

from statuette.policy import Answer, Period, Right

_MONTH = Period(months=1)

RIGHTS = (
    Right(
        id="right.access",
        request="access",
        within=_MONTH,
        answer=Answer.copy,
        sentence=(
            "You can have a copy of what is held about you: as soon as you ask, and within {within} at the latest, as a page to"
            " read and as files for programs."
        ),
        sentence_in={
            "de": (
                "Du kannst eine Kopie dessen bekommen, was über dich gespeichert ist: sobald du fragst, spätestens innerhalb von"
                " {within}, als Seite zum Lesen und als Dateien für Programme."
            )
        },
    ),
    Right(
        id="right.portability",
        request="portability",
        within=_MONTH,
        answer=Answer.copy,
        sentence=(
            "You can take your data and your figurines, as they were made, to other services: as soon as you ask, and within"
            " {within} at the latest."
        ),
        sentence_in={
            "de": (
                "Du kannst deine Daten und deine Figuren, so wie sie gemacht wurden, zu anderen Diensten mitnehmen: sobald du"
                " fragst, spätestens innerhalb von {within}."
            )
        },
    ),
    Right(
        id="depicted.takedown",
        request="takedown",
        within=Period(hours=48),
        answer=Answer.decision,
        sentence=(
            "If you are in a picture that you did not agree to, you can have it taken down, without an account: it and identical"
            " copies are out of sight at once, and what becomes of it is decided within {within}."
        ),
        sentence_in={
            "de": (
                "Bist du auf einem Bild, dem du nicht zugestimmt hast, kannst du es ohne Konto entfernen lassen: Es ist mit allen"
                " gleichen Kopien sofort außer Sicht, und innerhalb von {within} wird entschieden, was damit geschieht."
            )
        },
    ),
    Right(
        id="right.erasure",
        request="erasure",
        within=_MONTH,
        answer=Answer.erasure,
        sentence=(
            "You can ask for everything of yours to be erased. It is gone within {within}, from every store we have, and you get a"
            " receipt that says what went, and what others keep for how long."
        ),
        sentence_in={
            "de": (
                "Du kannst verlangen, dass alles gelöscht wird, was zu dir gehört. Innerhalb von {within} ist es aus all unseren"
                " Speichern verschwunden, und du bekommst eine Quittung darüber, was gelöscht wurde und was andere wie lange"
                " aufbewahren."
            )
        },
    ),
    Right(
        id="right.correction",
        request="correction",
        within=_MONTH,
        answer=Answer.change,
        sentence=(
            "You can change your name, address and language yourself at any time, and ask for the correction of anything else that"
            " is wrong about you; it is made within {within}."
        ),
        sentence_in={
            "de": (
                "Deinen Namen, deine Adresse und deine Sprache kannst du jederzeit selbst ändern, und verlangen, dass berichtigt"
                " wird, was sonst über dich falsch ist; das geschieht innerhalb von {within}."
            )
        },
    ),
    Right(
        id="right.restriction",
        request="restriction",
        within=Period(seconds=60),
        answer=Answer.stop,
        sentence=(
            "You can have every use of your data stopped, without losing it. Within {within} nothing more is done with it but to"
            " keep it, until you say otherwise."
        ),
        sentence_in={
            "de": (
                "Du kannst jede Verwendung deiner Daten anhalten lassen, ohne sie zu verlieren. Innerhalb von {within} geschieht"
                " mit ihnen nichts mehr, als dass sie aufbewahrt werden, bis du es anders willst."
            )
        },
    ),
    Right(
        id="right.objection",
        request="objection",
        within=_MONTH,
        answer=Answer.decision,
        sentence=(
            "You can object to a use of your data. It stops at once, and you are told with reasons within {within} whether it has"
            " to go on."
        ),
        sentence_in={
            "de": (
                "Du kannst einer Verwendung deiner Daten widersprechen. Sie endet sofort, und du erfährst innerhalb von {within}"
                " mit Gründen, ob sie weitergehen muss."
            )
        },
    ),
    Right(
        id="right.withdrawal",
        request="withdrawal",
        # The next permit is refused, and one that was given lives half as long at most.
        within=Period(seconds=60),
        answer=Answer.stop,
        sentence=(
            "You can take consent back at any time, as easily as you gave it. Within {within} nothing more is given to"
            " anybody for that purpose, and work that waits for it is cancelled."
        ),
        sentence_in={
            "de": (
                "Du kannst eine Einwilligung jederzeit zurücknehmen, so leicht, wie du sie gegeben hast. Innerhalb von"
                " {within} wird zu diesem Zweck niemandem mehr etwas gegeben, und wartende Arbeit wird abgebrochen."
            )
        },
    ),
)
