"""From a `Message` to the bytes of a letter (RFC 5322) and the two addresses of its envelope. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from email.errors import MessageError, NonASCIILocalPartDefect
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import msgspec

from statuette.ports.mail import MailRefused, Message

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,76}")
_ID_STEM = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_MAX_ID_STEM_LENGTH = 120
_MAX_FIELD_LENGTH = 900

# What we write ourselves, what adds recipients, and what describes the body: not for callers.
_OURS = {"from", "sender", "to", "cc", "bcc", "subject", "date", "message-id"}
_FORBIDDEN = re.compile(r"(content|mime|resent|received|return)(-.*)?", re.IGNORECASE)

# Long lines are kept whole up to the limit of RFC 5322: folding would turn a long address in a header into code words.
_WIRE = SMTP.clone(max_line_length=998, cte_type="7bit")


class Letter(msgspec.Struct, frozen=True):
    """Ready to be handed to a server.

    Attributes:
        sender, recipient: addresses alone, host names in ASCII.
        international: an address has letters beyond ASCII before the @, which takes SMTPUTF8 (RFC 6531).
    """

    sender: str
    recipient: str
    international: bool
    data: bytes

    def __repr__(self) -> str:
        return f"Letter({len(self.data)} bytes)"


def compose(message: Message, now: datetime) -> Letter:
    """Write the letter.

    Raises:
        MailRefused: a header holds a line break or another control character, an address is none or more than one, or an
            extra header is one of those we write. Names the field, never its value.
    """
    for field, value in (("sender", message.sender), ("recipient", message.recipient), ("subject", message.subject)):
        _refuse_controls(field, value)
    sender, recipient = _one_address("sender", message.sender), _one_address("recipient", message.recipient)
    letter = EmailMessage(policy=SMTP)
    letter["From"] = sender
    letter["To"] = recipient
    letter["Subject"] = message.subject
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{_id_stem(message.idempotency_key)}@{sender.domain}>"
    for name, value in message.headers.items():
        _refuse_controls(name if _FIELD_NAME.fullmatch(name) else "headers", value)
        if not _FIELD_NAME.fullmatch(name) or name.lower() in _OURS or _FORBIDDEN.fullmatch(name):
            raise MailRefused("The message has an extra header that is not allowed.")
        del letter[name]
        letter[name] = value
    if "Auto-Submitted" not in letter:
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office replies stay away
    letter.set_content(message.text, cte="quoted-printable")
    if message.html is not None:
        letter.add_alternative(message.html, subtype="html", cte="quoted-printable")
    international = not (sender.addr_spec + recipient.addr_spec).isascii()
    try:
        data = letter.as_bytes(policy=_WIRE.clone(utf8=international))
    except (MessageError, UnicodeError, ValueError):
        raise MailRefused("The message cannot be written as a letter.") from None
    return Letter(sender.addr_spec, recipient.addr_spec, international, data)


def _refuse_controls(field: str, value: str) -> None:
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise MailRefused(f"The field {field!r} holds a line break or another control character.")
    if len(value) > _MAX_FIELD_LENGTH:
        raise MailRefused(f"The field {field!r} is longer than {_MAX_FIELD_LENGTH} characters.")


def _one_address(field: str, text: str) -> Address:
    probe = EmailMessage(policy=SMTP)
    try:
        probe["To"] = text
        addresses = probe["To"].addresses
        defects = probe["To"].defects
    except (MessageError, ValueError, IndexError):
        addresses, defects = (), ()
    defects = [defect for defect in defects if not isinstance(defect, NonASCIILocalPartDefect)]
    if len(addresses) != 1 or defects or not addresses[0].username or not addresses[0].domain:
        raise MailRefused(f"The {field} is not one e-mail address.")
    address: Address = addresses[0]
    try:
        domain = address.domain if address.domain.isascii() else address.domain.encode("idna").decode()
        return Address(address.display_name, address.username, domain)
    except (MessageError, UnicodeError, ValueError):
        raise MailRefused(f"The {field} is not one e-mail address.") from None


def _id_stem(idempotency_key: str) -> str:
    if _ID_STEM.fullmatch(idempotency_key) and len(idempotency_key) <= _MAX_ID_STEM_LENGTH:
        return idempotency_key
    return hashlib.sha256(idempotency_key.encode("utf-8", "surrogatepass")).hexdigest()
