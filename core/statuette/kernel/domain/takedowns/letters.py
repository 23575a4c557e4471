"""Letters about takedowns: to whoever asked, and to whoever's picture it is. They name a case, never a person or a picture."""

from __future__ import annotations

from statuette.kernel.mail.wording import Wording, written
from statuette.ports.mail import Message

_SUBJECTS = {"en": "{brand}: a request about a picture", "de": "{brand}: ein Antrag zu einem Bild"}
_TO_OWNER = {
    "hidden": {
        "en": "Somebody asked {brand} to take a picture of yours down. It is out of sight until this has been decided. You can say"
        " why it should stay, in your account there.",
        "de": "Jemand hat {brand} gebeten, ein Bild von dir zu entfernen. Es ist außer Sicht, bis darüber entschieden ist. In"
        " deinem Konto dort kannst du sagen, warum es bleiben soll.",
    },
    "kept": {"en": "The picture stays, and is there again.", "de": "Das Bild bleibt und ist wieder da."},
    "deleting": {
        "en": "The picture will be deleted in seven days. Until then you can say, in your account there, why it should stay; then"
        " it is decided once more.",
        "de": "Das Bild wird in sieben Tagen gelöscht. Bis dahin kannst du in deinem Konto dort sagen, warum es bleiben soll; dann"
        " wird noch einmal entschieden.",
    },
    "deleted": {"en": "The picture has been deleted.", "de": "Das Bild ist gelöscht."},
}
_TO_REQUESTER = {
    "kept": {
        "en": "We looked at your request to take a picture down. It stays.",
        "de": "Wir haben deinen Antrag geprüft, ein Bild zu entfernen. Es bleibt.",
    },
    "deleting": {
        "en": "We looked at your request. The picture stays out of sight, and is deleted in seven days unless its owner objects.",
        "de": "Wir haben deinen Antrag geprüft. Das Bild bleibt außer Sicht und wird in sieben Tagen gelöscht, wenn nicht"
        " widersprochen wird.",
    },
    "deleted": {
        "en": "The picture that you asked us to take down has been deleted.",
        "de": "Das Bild, das wir auf deinen Antrag entfernen sollten, ist gelöscht.",
    },
}


def takedown_letter(
    *, letter_id: str, case_id: str, event: str, owner: bool, recipient: str, sender: str, brand_title: str, locale: str
) -> Message:
    """`event` is the state that the case came to, or `hidden`, which its owner alone is told of."""
    texts = (_TO_OWNER if owner else _TO_REQUESTER)[event]
    wordings = {tag: Wording(_SUBJECTS[tag], f"{text}\n\n{{case}}\n") for tag, text in texts.items()}
    return written(
        wordings,
        idempotency_key=letter_id,
        recipient=recipient,
        sender=sender,
        brand_title=brand_title,
        locale=locale,
        case=case_id,
    )
