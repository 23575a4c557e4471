"""Codes and tokens: made from the system's randomness, kept as hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from statuette.kernel.db.encryption import FieldCipher

SESSION_PREFIX = "st_"
_CODE_DIGITS = 6
_TOKEN_BYTES = 32


def new_code() -> str:
    """Six decimal digits."""
    return f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"


def code_hash(cipher: FieldCipher, *, brand_id: str, email_index: str, code_id: str, code: str) -> str:
    """Keyed: six digits under a plain hash would fall to whoever reads the table, in a second."""
    return cipher.keyed_hash("signin code", brand_id, email_index, code_id, code)


def new_session_token() -> str:
    return f"{SESSION_PREFIX}{secrets.token_urlsafe(_TOKEN_BYTES)}"


def new_csrf_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """SHA-256 in hex. Enough for 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two hashes are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
