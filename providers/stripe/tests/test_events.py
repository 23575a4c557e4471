"""Events, signed with the SDK's own function: those of Stripe are read, all others are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from statuette.ports.payment import EventRefused, Kind, Reference
from statuette.testing import FrozenClock
from statuette_stripe import EventReader

SECRET = "whsec_of_this_endpoint"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def reader(clock: FrozenClock) -> EventReader:
    return EventReader(SECRET, clock, live=False)


def event(thing: dict[str, Any], **changes: Any) -> str:
    whole = {
        "id": "evt_1",
        "object": "event",
        "type": "charge.refunded",
        "created": 1_768_478_400,
        "livemode": False,
        "data": {"object": thing, "previous_attributes": {}},
    }
    return json.dumps(whole | changes)


def signed(body: str, at: datetime, secret: str = SECRET) -> dict[str, str]:
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(at.timestamp()))
    return {"stripe-signature": header}


CHARGE = {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}


def refusal(reader: EventReader, headers: dict[str, str], body: bytes) -> str:
    with pytest.raises(EventRefused) as refused:
        reader.parse(headers, body)
    assert SECRET not in str(refused.value)
    return str(refused.value.attributes["why"])


def test_an_event_is_read(reader: EventReader, clock: FrozenClock) -> None:
    body = event(CHARGE)
    read = reader.parse(signed(body, clock.now()), body.encode())
    assert (read.id, read.type, read.live) == ("evt_1", "charge.refunded", False)
    assert read.created_at == datetime.fromtimestamp(1_768_478_400, UTC)
    assert read.about == Reference(Kind.payment, "pi_1")


@pytest.mark.parametrize(
    ("thing", "about"),
    [
        ({"object": "checkout.session", "id": "cs_1", "payment_intent": "pi_1"}, Reference(Kind.checkout, "cs_1")),
        ({"object": "payment_intent", "id": "pi_1"}, Reference(Kind.payment, "pi_1")),
        ({"object": "invoice", "id": "in_1", "subscription": "sub_1"}, Reference(Kind.payment, "in_1")),
        ({"object": "invoice", "lines": {}}, None),  # one that is only announced has no id
        ({"object": "invoice_payment", "id": "inpay_1", "invoice": "in_1"}, Reference(Kind.payment, "in_1")),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, Reference(Kind.payment, "ch_1")),
        (
            {"object": "refund", "id": "re_1", "payment_intent": "pi_1", "charge": "ch_1"},
            Reference(Kind.payment, "pi_1"),
        ),
        (
            {"object": "dispute", "id": "dp_1", "payment_intent": None, "charge": "ch_1"},
            Reference(Kind.payment, "ch_1"),
        ),
        ({"object": "subscription", "id": "sub_1"}, Reference(Kind.subscription, "sub_1")),
        (
            {"object": "subscription_schedule", "id": "sub_sched_1", "subscription": "sub_1"},
            Reference(Kind.subscription, "sub_1"),
        ),
        ({"object": "subscription_schedule", "id": "sub_sched_1", "subscription": None}, None),
        ({"object": "payout", "id": "po_1"}, None),
    ],
)
def test_an_event_names_what_it_is_about(
    reader: EventReader, clock: FrozenClock, thing: dict[str, Any], about: Reference | None
) -> None:
    body = event(thing)
    assert reader.parse(signed(body, clock.now()), body.encode()).about == about


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed(reader: EventReader, clock: FrozenClock) -> None:
    body = event(CHARGE)
    good = signed(body, clock.now())["stripe-signature"]
    other = signed(body, clock.now(), "whsec_of_before")["stripe-signature"].partition(",")[2]
    time, _, signature = good.partition(",")
    assert reader.parse({"stripe-signature": f"{time},{other},{signature}"}, body.encode()).id == "evt_1"


def test_a_wrong_signature_is_refused(reader: EventReader, clock: FrozenClock) -> None:
    body = event(CHARGE)
    good = signed(body, clock.now())["stripe-signature"]
    now = int(clock.now().timestamp())
    assert refusal(reader, {"stripe-signature": good}, body.replace("pi_1", "pi_2").encode()) == "signature"
    assert refusal(reader, signed(body, clock.now(), "whsec_of_another"), body.encode()) == "signature"
    for header in (
        "",
        f"t={now}",
        good.partition(",")[2],
        good.replace("v1=", "v0="),
        good.replace(f"t={now}", f"t={now + 1}"),
        good.replace(f"t={now}", "t=-1"),
        f"t={now},v1=",
        f"t={now},v1=é",
        good + "," * 5_000,
    ):
        assert refusal(reader, {"stripe-signature": header}, body.encode()) == "signature", header
    assert refusal(reader, {}, body.encode()) == "signature"


@pytest.mark.parametrize("away", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_what_was_signed_too_long_ago_or_ahead_is_refused(
    reader: EventReader, clock: FrozenClock, away: timedelta
) -> None:
    body = event(CHARGE)
    assert refusal(reader, signed(body, clock.now() - away), body.encode()) == "stale"
    nearly = away * (299 / 301)
    assert reader.parse(signed(body, clock.now() - nearly), body.encode()).id == "evt_1"


def test_real_money_at_a_test_endpoint_and_the_reverse_are_refused(reader: EventReader, clock: FrozenClock) -> None:
    real = event(CHARGE, livemode=True)
    assert refusal(reader, signed(real, clock.now()), real.encode()) == "mode"
    live = EventReader(SECRET, clock, live=True)
    assert live.parse(signed(real, clock.now()), real.encode()).live
    played = event(CHARGE)
    assert refusal(live, signed(played, clock.now()), played.encode()) == "mode"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        event(CHARGE, id="e" * 101),
        event(CHARGE, type=""),
        event(CHARGE, created=10**18),
        event(CHARGE, created="2026-01-15T12:00:00Z"),
        event(CHARGE, data={}),
    ],
)
def test_what_is_signed_and_no_event_is_refused(reader: EventReader, clock: FrozenClock, body: str) -> None:
    assert refusal(reader, signed(body, clock.now()), body.encode()) == "malformed"


def test_there_is_no_reader_without_a_secret(clock: FrozenClock) -> None:
    with pytest.raises(ValueError, match="without a secret"):
        EventReader("", clock, live=False)
