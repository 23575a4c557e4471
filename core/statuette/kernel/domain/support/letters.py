"""Letters about questions: that one was answered, with the answer, or closed. What was asked is in none of them."""

from __future__ import annotations

from statuette.kernel.mail.wording import Wording, written
from statuette.ports.mail import Message

_SUBJECTS = {"en": "{brand}: your question", "de": "{brand}: deine Frage"}
_TEXTS = {
    "answered": {
        "en": "{brand} has answered your question:\n\n{answer}\n\n{back}\n\n{question}\n",
        "de": "{brand} hat deine Frage beantwortet:\n\n{answer}\n\n{back}\n\n{question}\n",
    },
    "closed": {
        "en": "Your question to {brand} has been closed. {back} Else it is deleted when its time is over, with everything that"
        " was said and attached.\n\n{question}\n",
        "de": "Deine Frage an {brand} ist geschlossen. {back} Sonst wird sie nach Ablauf ihrer Zeit gelöscht, mit allem, was"
        " gesagt und angehängt wurde.\n\n{question}\n",
    },
}
_BACK = {
    True: {
        "en": "You can write again in your account there, where you find it, too.",
        "de": "Du kannst dort in deinem Konto, wo du sie auch findest, noch einmal schreiben.",
    },
    False: {
        "en": "You can write again where you asked, with the token that you were given.",
        "de": "Du kannst dort, wo du gefragt hast, mit deiner Kennung noch einmal schreiben.",
    },
}


def support_letter(
    *,
    letter_id: str,
    question_id: str,
    action: str,
    answer: str,
    with_account: bool,
    recipient: str,
    sender: str,
    brand_title: str,
    locale: str,
) -> Message:
    """`action` is that of the entry it tells of, `answered` or `closed`. `answer` is in the text, never in the subject."""
    wordings = {
        tag: Wording(_SUBJECTS[tag], text.replace("{back}", _BACK[with_account][tag]))
        for tag, text in _TEXTS[action].items()
    }
    return written(
        wordings,
        idempotency_key=letter_id,
        recipient=recipient,
        sender=sender,
        brand_title=brand_title,
        locale=locale,
        answer=answer,
        question=question_id,
    )
