"""Addresses in letters that end such letters with one click (RFC 8058): signed, good for as long as the account is there."""

from __future__ import annotations

import base64
import binascii
import hmac

import msgspec

_SIGNATURE_BYTES = 24


class Ended(msgspec.Struct, frozen=True):
    """What an address is for: one account of a brand, and what it no longer wants to be written to about."""

    brand_id: str
    account_id: str
    purpose: str


class Unsubscribing:
    def __init__(self, secret: bytes, public_url: str) -> None:
        self._secret = secret
        self._public_url = public_url

    def headers(self, brand_id: str, account_id: str, purpose: str) -> dict[str, str]:
        """What mail programs show a button for."""
        address = self.address(brand_id, account_id, purpose)
        return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}

    def address(self, brand_id: str, account_id: str, purpose: str) -> str:
        said = "\n".join((brand_id, account_id, purpose)).encode()
        token = base64.urlsafe_b64encode(self._signature(said) + said).decode().rstrip("=")
        return f"{self._public_url}/unsubscribe/{token}"

    def read(self, token: str) -> Ended | None:
        """What a token is for; None when it is not one of ours."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        signature, said = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(said)):
            return None
        return Ended(*said.decode().split("\n"))

    def _signature(self, said: bytes) -> bytes:
        return hmac.digest(self._secret, said, "sha256")[:_SIGNATURE_BYTES]
