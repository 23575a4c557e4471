"""API keys as texts: `pk_test_…` names a brand and can do nothing else, `sk_live_…` speaks for its operator. Pure."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Literal

import msgspec

KeyKind = Literal["publishable", "secret"]

_PREFIXES: dict[KeyKind, str] = {"publishable": "pk", "secret": "sk"}
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BODY_LENGTH = 43  # 43 characters of 62 hold 256 bits
_TOKEN = re.compile(r"(pk|sk)_(test|live)_[0-9A-Za-z]{43}")


class KeyText(msgspec.Struct, frozen=True):
    """What can be told from a key without the database."""

    kind: KeyKind
    mode: str
    token_hash: str


def new_key(kind: KeyKind, mode: str) -> str:
    """A key from the system's randomness."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_BODY_LENGTH))
    return f"{_PREFIXES[kind]}_{mode}_{body}"


def parsed(plaintext: str) -> KeyText | None:
    """None when this cannot be a key: strangers' texts cost no query."""
    match = _TOKEN.fullmatch(plaintext)
    if match is None:
        return None
    kind: KeyKind = "publishable" if match.group(1) == "pk" else "secret"
    return KeyText(kind, match.group(2), hashed(plaintext))


def hashed(plaintext: str) -> str:
    """SHA-256: enough for texts of 256 random bits."""
    return hashlib.sha256(plaintext.encode()).hexdigest()
