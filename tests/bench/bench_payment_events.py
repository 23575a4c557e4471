"""What an event of the payment gateway costs before anything is kept of it: verifying the signature and decoding."""

from __future__ import annotations

import json
import statistics
import time

import stripe

from statuette.values import SystemClock
from statuette_stripe import EventReader
from tests.bench.report import Figure, at_most

_EVENTS = 20_000
_SECRET = "whsec_of_the_bench"


async def measure() -> list[Figure]:
    clock = SystemClock()
    reader = EventReader(_SECRET, clock, live=False)
    body = _body()
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), _SECRET, int(clock.now().timestamp()))
    taken = [_reading(reader, {"stripe-signature": header}, body) for _ in range(9)]
    return [
        at_most(
            "payment event verification",
            statistics.median(taken) * 1e6,
            20,
            f"CPU of verifying and decoding {len(body):,} bytes: median of 9 × {_EVENTS:,}",
            "µs",
        )
    ]


def _reading(reader: EventReader, headers: dict[str, str], body: bytes) -> float:
    began = time.process_time()
    for _ in range(_EVENTS):
        reader.parse(headers, body)
    return (time.process_time() - began) / _EVENTS


def _body() -> bytes:
    """As long as an event about a charge is, and indented as Stripe sends it."""
    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "amount": 900, "currency": "eur"}
    charge |= {f"field_{number}": {"value": None, "text": "x" * 24, "amount": number} for number in range(40)}
    event = {"id": "evt_1", "object": "event", "type": "charge.succeeded", "created": 1_768_478_400}
    return json.dumps(event | {"livemode": False, "data": {"object": charge}}, indent=2).encode()
