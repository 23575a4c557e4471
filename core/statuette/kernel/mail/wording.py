"""How a letter is put into words: in the person's language if we speak it, with nothing in it that anybody typed but an
operator's answer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from statuette.ports.mail import Message

_OTHERWISE = "en"


class Wording(msgspec.Struct, frozen=True):
    """A letter in one language. `{brand}` and the letter's own fields are filled in.

    Attributes:
        subject: shown on locked screens, so it tells nothing.
    """

    subject: str
    text: str


def written(
    wordings: Mapping[str, Wording],
    *,
    idempotency_key: str,
    recipient: str,
    sender: str,
    brand_title: str,
    locale: str,
    **fields: object,
) -> Message:
    """The letter in the language of `locale`, else in English.

    Args:
        wordings: by language, English among them.
        fields: what else the text names.
    """
    language = locale.partition("-")[0].lower()
    wording = wordings.get(language, wordings[_OTHERWISE])
    brand = " ".join(brand_title.split())
    return Message(
        idempotency_key=idempotency_key,
        recipient=recipient,
        sender=sender,
        subject=wording.subject.format(brand=brand),
        text=wording.text.format(brand=brand, **fields),
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no out-of-office answers
    )
