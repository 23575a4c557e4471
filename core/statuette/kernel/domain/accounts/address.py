"""E-mail addresses: which we take, and how they are written."""

from __future__ import annotations

import re

from statuette.errors import InvalidInput
from statuette.kernel.db.encryption import canonical_address

_LONGEST = 254  # RFC 5321, the longest path
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class InvalidEmail(InvalidInput):
    """Not an address that we can write to. Final."""

    code = "invalid_email"
    summary = "This is not an e-mail address we can write to."


def parse_address(raw: str) -> str:
    """The canonical spelling of an address. Mail goes to that spelling and to no other.

    A code sent to the address as typed could reach the owner of a look-alike that folds to the same index, and with it
    another person's account. So letters beyond ASCII are taken in the domain only, where IDNA makes them one name.

    Raises:
        InvalidEmail: final; never says what was typed.
    """
    if len(raw) > _LONGEST or not raw.strip().rpartition("@")[0].isascii():
        raise InvalidEmail()
    try:
        address = canonical_address(raw)
    except ValueError:
        raise InvalidEmail() from None
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")
    if (
        len(address) > _LONGEST
        or len(local) > 64
        or not _LOCAL.fullmatch(local)
        or len(labels) < 2
        or not all(_LABEL.fullmatch(label) for label in labels)
        or labels[-1].isdecimal()
    ):
        raise InvalidEmail()
    return address
