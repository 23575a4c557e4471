"""Events on the wire: the port's own struct as JSON, signed with a secret of the brand's.

The header `sandbox-signature` reads `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 of the time, a dot and the body.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from statuette.ports.payment import Event, EventRefused
from statuette.values import Clock

HEADER = "sandbox-signature"
_TOLERANCE_SECONDS = 300
_LONGEST_NAME = 100
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
_decoder = msgspec.json.Decoder(Event)


class Seal:
    """Signs and verifies events of one brand.

    Args:
        secret: of the gateway; each brand's is derived from it, so that no brand takes another's events.
    """

    def __init__(self, secret: bytes, brand: str, clock: Clock) -> None:
        self._secret = hmac.digest(secret, b"events:" + brand.encode(), "sha256")
        self._clock = clock

    def headers(self, body: bytes, at: datetime | None = None) -> dict[str, str]:
        """What is sent with `body`; signed now unless `at` says when."""
        moment = b"%d" % int((at or self._clock.now()).timestamp())
        return {HEADER: f"t={moment.decode()},v1={self._signature(moment, body)}", "content-type": "application/json"}

    def read(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Verify and read. Raises `EventRefused`."""
        signed = _SIGNATURE.fullmatch(headers.get(HEADER, ""))
        if signed is None or not hmac.compare_digest(self._signature(signed[1].encode(), body), signed[2]):
            raise EventRefused("The event's signature is missing or wrong.", why="signature")
        # Only now, so that nobody else learns what this machine's clock says.
        if abs(self._clock.now().timestamp() - int(signed[1])) > _TOLERANCE_SECONDS:
            raise EventRefused("The event was signed more than five minutes ago or ahead.", why="stale")
        try:
            event = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise EventRefused("The event does not have the form that was agreed.", why="malformed") from None
        names = [event.id, event.type] if event.about is None else [event.id, event.type, event.about.id]
        if event.created_at.tzinfo is None or not all(0 < len(name) <= _LONGEST_NAME for name in names):
            raise EventRefused("The event does not have the form that was agreed.", why="malformed")
        if event.live:
            raise EventRefused("The event is about real money, and this is a sandbox.", why="mode")
        return event

    def _signature(self, moment: bytes, body: bytes) -> str:
        return hmac.digest(self._secret, b"%b.%b" % (moment, body), "sha256").hex()
