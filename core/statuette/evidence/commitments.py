"""Commitments: a receipt names a record so that only who holds the salt can tell which one it is.

`sha256:` and the hex of SHA-256 over 32 bytes of salt, a text that tells what is named, and the id. The id alone, were it
guessed, opens nothing; the salt is with the holder.
"""

from __future__ import annotations

import os
import re
from enum import StrEnum
from hashlib import sha256

from statuette.errors import InvalidInput

SALT_BYTES = 32
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class Committed(StrEnum):
    """What a commitment is to. One to a record never opens as one to an account."""

    subject = "subject"
    account = "account"


def new_salt() -> bytes:
    """A salt for one receipt."""
    return os.urandom(SALT_BYTES)


def commit(to: Committed, salt: bytes, identifier: str) -> str:
    """The commitment, as `sha256:<hex>`.

    Args:
        salt: 32 random bytes of this receipt alone.
        identifier: the id of the record or account: 1 to 128 letters, digits, and `_ . : -`.

    Raises:
        InvalidInput: the salt or the identifier has another form.
    """
    if len(salt) != SALT_BYTES:
        raise InvalidInput(f"A salt has {SALT_BYTES} bytes.")
    if not is_identifier(identifier):
        raise InvalidInput("A commitment is to an id of 1 to 128 letters, digits, and _ . : -")
    # Salt and text have fixed lengths for each kind, so no two inputs run together to the same bytes.
    named = f"statuette evidence v1 {to.value}\0{identifier}".encode()
    return f"sha256:{sha256(salt + named).hexdigest()}"


def is_identifier(value: object) -> bool:
    """Whether `value` has the form of an id that can be committed to."""
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None
