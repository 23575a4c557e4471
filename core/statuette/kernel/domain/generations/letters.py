"""The letter that says how a job ended, in the languages we speak. It tells the end and nothing of what was ordered."""

from __future__ import annotations

from statuette.kernel.domain.generations.outcomes import State
from statuette.kernel.domain.generations.repository import GenerationRow
from statuette.kernel.mail.wording import Wording, written
from statuette.ports.mail import Message

_SUBJECTS = {
    "en": "Your order at {brand}",
    "de": "Deine Bestellung bei {brand}",
    "fr": "Votre commande chez {brand}",
    "es": "Tu pedido en {brand}",
}

_READY = {
    "en": "Your figurine is ready.\n\nSign in at {brand} to see it.\n",
    "de": "Deine Figur ist fertig.\n\nMelde dich bei {brand} an, um sie zu sehen.\n",
    "fr": "Votre figurine est prête.\n\nConnectez-vous chez {brand} pour la voir.\n",
    "es": "Tu figura está lista.\n\nInicia sesión en {brand} para verla.\n",
}

_NOT_MADE = {
    "en": "Your figurine could not be made, and nothing was charged.\n\nSign in at {brand} to learn more or to try again.\n",
    "de": (
        "Deine Figur konnte nicht gemacht werden, und es wurde nichts berechnet.\n\n"
        "Melde dich bei {brand} an, um mehr zu erfahren oder es noch einmal zu versuchen.\n"
    ),
    "fr": (
        "Votre figurine n'a pas pu être réalisée, et rien n'a été débité.\n\n"
        "Connectez-vous chez {brand} pour en savoir plus ou pour réessayer.\n"
    ),
    "es": (
        "No se ha podido hacer tu figura y no se ha cobrado nada.\n\n"
        "Inicia sesión en {brand} para saber más o para volver a intentarlo.\n"
    ),
}

# What a brand charges for a cancelled job depends on how far it had come, so this says where to look.
_CANCELED = {
    "en": "Your order was cancelled.\n\nSign in at {brand} to see whether anything was made and charged before that.\n",
    "de": (
        "Deine Bestellung wurde abgebrochen.\n\n"
        "Melde dich bei {brand} an, um zu sehen, ob davor etwas gemacht und berechnet wurde.\n"
    ),
    "fr": (
        "Votre commande a été annulée.\n\n"
        "Connectez-vous chez {brand} pour voir si quelque chose a été réalisé et débité auparavant.\n"
    ),
    "es": (
        "Tu pedido se ha cancelado.\n\nInicia sesión en {brand} para ver si antes de eso se hizo y se cobró algo.\n"
    ),
}

_WHY = {
    "en": "\nYou get this letter because you asked for it with your order.\n",
    "de": "\nDu bekommst diese Nachricht, weil du bei der Bestellung darum gebeten hast.\n",
    "fr": "\nVous recevez ce message parce que vous l'avez demandé en passant commande.\n",
    "es": "\nRecibes este mensaje porque lo pediste al hacer el pedido.\n",
}


def _wordings(texts: dict[str, str]) -> dict[str, Wording]:
    return {language: Wording(subject, texts[language] + _WHY[language]) for language, subject in _SUBJECTS.items()}


_WORDINGS = {"ready": _wordings(_READY), "not_made": _wordings(_NOT_MADE), "canceled": _wordings(_CANCELED)}


def ended_letter(job: GenerationRow, *, recipient: str, sender: str, brand_title: str, locale: str) -> Message:
    """The letter about a job that has ended. One job has one such letter, so its key is the job's."""
    return written(
        _WORDINGS[_end(job)],
        idempotency_key=f"{job.id}:ended",
        recipient=recipient,
        sender=sender,
        brand_title=brand_title,
        locale=locale,
    )


def has_pictures(job: GenerationRow) -> bool:
    """Whether an ended job is told as ready: also one that failed after some of its pictures were made and paid for."""
    return _end(job) == "ready"


def _end(job: GenerationRow) -> str:
    if job.state == State.canceled:
        return "canceled"
    return "ready" if job.state == State.succeeded or job.credits_captured else "not_made"
