"""A letter with news: the brand's own words, and the way out of further ones."""

from __future__ import annotations

from collections.abc import Mapping

from statuette.kernel.mail.wording import Wording
from statuette.ports.mail import Message

_ENDINGS = {
    "en": "You get this because you agreed to news by mail. No more of it:",
    "de": "Du bekommst das, weil du in Neuigkeiten per E-Mail eingewilligt hast. Keine mehr:",
}


def news_letter(
    texts: Mapping[str, Wording],
    *,
    letter_id: str,
    recipient: str,
    sender: str,
    locale: str,
    unsubscribe: str,
    headers: Mapping[str, str],
) -> Message:
    """The letter in the language of `locale` if the brand wrote it in that, else in its first."""
    language = locale.partition("-")[0].lower()
    wording = texts.get(locale) or texts.get(language) or next(iter(texts.values()))
    ending = _ENDINGS.get(language, _ENDINGS["en"])
    return Message(
        idempotency_key=letter_id,
        recipient=recipient,
        sender=sender,
        subject=" ".join(wording.subject.split()),
        text=f"{wording.text.rstrip()}\n\n-- \n{ending}\n{unsubscribe}\n",
        headers={"Auto-Submitted": "auto-generated", **headers},
    )
