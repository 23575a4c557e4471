"""Events: whether Stripe sent them, and which object they are about.

The signature scheme is that of https://docs.stripe.com/webhooks/signature: the header `Stripe-Signature` holds a time `t` and
one `v1` for each secret in force, HMAC-SHA256 of `t`, a dot and the body.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from statuette.ports.payment import Event, EventRefused, Kind, Reference
from statuette.values import Clock

_TOLERANCE_SECONDS = 300
_LONGEST_HEADER = 4_096
_LONGEST_NAME = 100


class _Object(msgspec.Struct):
    object: str
    id: Any = None
    payment_intent: Any = None
    charge: Any = None
    invoice: Any = None
    subscription: Any = None


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    type: str
    created: int
    livemode: bool
    data: _Data


_decoder = msgspec.json.Decoder(_Event)


class EventReader:
    """Reads the events of one endpoint.

    Args:
        secret: the endpoint's signing secret.
        live: whether the account's key is for real money.
    """

    def __init__(self, secret: str, clock: Clock, *, live: bool) -> None:
        if not secret:  # whoever knows that a key is empty can sign with it
            raise ValueError("An endpoint without a secret reads no events.")
        self._secret = secret.encode()
        self._clock = clock
        self._live = live

    def parse(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Verify and read.

        Args:
            headers: names in lower case.
            body: as it came.

        Raises:
            EventRefused.
        """
        self._verify(headers.get("stripe-signature", ""), body)
        try:
            event = _decoder.decode(body)
            created_at = datetime.fromtimestamp(event.created, UTC)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError, OSError):
            raise _malformed() from None
        if not 0 < len(event.id) <= _LONGEST_NAME or not 0 < len(event.type) <= _LONGEST_NAME:
            raise _malformed()
        if event.livemode != self._live:
            raise EventRefused(
                "The event is about real money and the key is a test key, or the reverse.",
                cure="Make the endpoint in the mode that the secret key belongs to.",
                why="mode",
            )
        return Event(event.id, event.type, created_at, _about(event.data.object), event.livemode)

    def _verify(self, header: str, body: bytes) -> None:
        sent_at, signatures = _read(header)
        expected = hmac.digest(self._secret, b"%b.%b" % (sent_at, body), "sha256").hex().encode()
        if not any(hmac.compare_digest(expected, signature) for signature in signatures):
            raise _unsigned()
        # Only now, so that nobody else learns what this machine's clock says.
        if abs(self._clock.now().timestamp() - int(sent_at)) > _TOLERANCE_SECONDS:
            raise EventRefused(
                "The event was signed more than five minutes ago or ahead.",
                cure="Stripe signs anew when it sends again; check this machine's clock.",
                why="stale",
            )


def _read(header: str) -> tuple[bytes, list[bytes]]:
    if len(header) > _LONGEST_HEADER or not header.isascii():
        raise _unsigned()
    sent_at, signatures = b"", []
    for part in header.encode().split(b","):
        name, _, value = part.strip().partition(b"=")
        if name == b"t":
            sent_at = value
        elif name == b"v1":
            signatures.append(value)
    if not sent_at.isdigit() or len(sent_at) > 12:
        raise _unsigned()
    return sent_at, signatures


def _about(thing: _Object) -> Reference | None:
    """Refunds, disputes and charges name their payment as directly as the event tells it."""
    match thing.object:
        case "checkout.session":
            return _reference(Kind.checkout, thing.id)
        case "subscription":
            return _reference(Kind.subscription, thing.id)
        case "subscription_schedule":
            return _reference(Kind.subscription, thing.subscription)
        case "payment_intent" | "invoice":
            return _reference(Kind.payment, thing.id)
        case "invoice_payment":
            return _reference(Kind.payment, thing.invoice)
        case "charge":
            return _reference(Kind.payment, thing.payment_intent, thing.id)
        case "refund" | "dispute":
            return _reference(Kind.payment, thing.payment_intent, thing.charge, thing.id)
    return None


def _reference(kind: Kind, *candidates: Any) -> Reference | None:
    for candidate in candidates:
        if isinstance(candidate, str) and 0 < len(candidate) <= _LONGEST_NAME:
            return Reference(kind, candidate)
    return None


def _unsigned() -> EventRefused:
    return EventRefused(
        "The event's signature is missing or wrong.",
        cure="Set the webhook secret to the signing secret of this very endpoint.",
        why="signature",
    )


def _malformed() -> EventRefused:
    return EventRefused(
        "The event is not a snapshot event of Stripe.",
        cure="Choose the payload style “snapshot” for the endpoint in Stripe's dashboard.",
        why="malformed",
    )
