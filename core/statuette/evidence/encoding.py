"""One form of each document: JSON with sorted names, without blanks, nothing left out, and nothing after it.

What is hashed or signed is bytes, so a document has exactly one encoding: `msgspec.json.encode(…, order="sorted")`.
Bytes are base64 with padding, moments RFC 3339 in UTC with a `Z`, numbers whole, and all text is ASCII by the patterns that
structs demand. What is read is encoded again and compared, so other orders, blanks, escapes, repeated names and
loose base64 are told from the canonical form.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from statuette.errors import InvalidInput

_Document = TypeVar("_Document", bound=msgspec.Struct)

LARGEST = 2**53 - 1
"""The largest whole number: what every reader of JSON keeps exactly."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class UnreadableDocument(InvalidInput):
    """The bytes are not a document of this kind. Says nothing of what they hold."""


def canonical(document: msgspec.Struct) -> bytes:
    """The one encoding."""
    return msgspec.json.encode(document, order="sorted")


def parsed(data: bytes | msgspec.Raw, kind: type[_Document]) -> _Document:
    """A document in any encoding: compare with `canonical` before trusting its bytes.

    Raises:
        UnreadableDocument: fields are missing, unknown, or of another type or form.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except InvalidInput as error:
        raise UnreadableDocument(error.detail) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError, ValueError):
        raise UnreadableDocument("These bytes are not a document of this kind.") from None


def require(holds: bool, rule: str) -> None:
    """Refuse a value by the rule that it breaks, without showing it: it may be what should never be shown."""
    if not holds:
        raise InvalidInput(rule)


def is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def is_moment(value: object) -> bool:
    """Whether it is an aware datetime in UTC."""
    return isinstance(value, datetime) and value.utcoffset() == timedelta(0)


def is_bytes(value: object, length: int) -> bool:
    return isinstance(value, bytes) and len(value) == length
