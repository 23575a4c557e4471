"""Addresses that open one object for a while, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime
from urllib.parse import quote, urlencode

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_LABEL = "statuette_local signed object v1"


class Signer:
    """HMAC-SHA256 (RFC 2104) over key, expiry and media type.

    Args:
        base_url: what comes before the key, without a trailing slash.
        key: 32 bytes, this plugin's own.
    """

    def __init__(self, base_url: str, key: bytes) -> None:
        self._base_url = base_url
        self._key = key

    def __repr__(self) -> str:  # the key never reaches a log
        return f"Signer({self._base_url})"

    def url(self, key: str, media_type: str, expires_at: datetime) -> str:
        """The same arguments give the same address, so that caches hold. Expiry is rounded down to a second.

        Raises `ValueError` for a naive time or a media type with parameters: a bug of the caller.
        """
        if expires_at.tzinfo is None:
            raise ValueError("The expiry needs a time zone.")
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise ValueError("A media type is type/subtype, in lower case, without parameters.")
        expires = int(expires_at.timestamp())
        query = {"expires": expires, "type": media_type, "signature": self._sign(key, media_type, expires)}
        return f"{self._base_url}/{quote(key)}?{urlencode(query)}"

    def holds(self, key: str, media_type: str, expires: int, signature: str) -> bool:
        """Whether we signed exactly this, expired or not. Takes the same time wherever a forgery differs."""
        return hmac.compare_digest(self._sign(key, media_type, expires).encode(), signature.encode())

    def _sign(self, key: str, media_type: str, expires: int) -> str:
        # None of the parts can hold a line feed: keys and media types are matched by expressions without one.
        message = f"{_LABEL}\n{key}\n{expires}\n{media_type}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()
