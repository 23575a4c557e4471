"""Signed addresses of pictures: they name one picture in one size, work without other credentials, and end in time."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta

# An address is stable within a window, so that browsers cache it, and lives between one and two windows: 15 minutes at most.
_WINDOW_SECONDS = 450


class ImageSigner:
    def __init__(self, secret: bytes, public_url: str) -> None:
        self._keyed = hmac.new(secret, digestmod="sha256")
        self._public_url = public_url

    def expiry(self, now: datetime, due_at: datetime | None) -> datetime:
        """When an address made now stops working: at a window's end, never after the picture's deadline."""
        end = datetime.fromtimestamp((int(now.timestamp()) // _WINDOW_SECONDS + 2) * _WINDOW_SECONDS, UTC)
        return end if due_at is None else min(end, due_at)

    def url(self, brand_id: str, kind: str, record_id: str, size: str, expires_at: datetime) -> str:
        expires = int(expires_at.timestamp())
        path = self._path(brand_id, kind, record_id, size)
        return f"{self._public_url}{path}?expires={expires}&signature={self._signature(path, expires)}"

    def remaining(
        self, brand_id: str, kind: str, record_id: str, size: str, expires: int, signature: str, now: datetime
    ) -> timedelta | None:
        """How long the address still works; None when it is forged or has expired."""
        path = self._path(brand_id, kind, record_id, size)
        if not hmac.compare_digest(self._signature(path, expires).encode(), signature.encode()):
            return None
        left = datetime.fromtimestamp(expires, UTC) - now
        return left if left > timedelta(0) else None

    @staticmethod
    def _path(brand_id: str, kind: str, record_id: str, size: str) -> str:
        if kind == "copies":
            return f"/v1/copies/{brand_id}/{record_id}"
        return f"/v1/images/{brand_id}/{kind}/{record_id}/{size}"

    def _signature(self, path: str, expires: int) -> str:
        # A copy of what has taken the key in: half the time, and every read of a job signs several addresses.
        signed = self._keyed.copy()
        signed.update(f"{path}\n{expires}".encode())
        return signed.hexdigest()[:43]
