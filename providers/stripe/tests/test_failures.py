"""The SDK's errors become the port's, and nothing of their messages is passed on."""

from __future__ import annotations

import pytest
import stripe

from statuette.errors import StatuetteError
from statuette.ports.payment import GatewayMisconfigured, PaymentRefused, PaymentUnavailable, UnknownReference
from statuette_stripe import idempotency_key, translated

SETTING = "stripe.brands.demo.secret_key"
SAID = "Invalid API Key provided: sk_test_****1234"


@pytest.mark.parametrize(
    ("error", "expected", "attributes"),
    [
        (stripe.APIConnectionError(SAID), PaymentUnavailable, {}),
        (stripe.APIError(SAID, http_status=503), PaymentUnavailable, {}),
        (
            stripe.RateLimitError(SAID, http_status=429, headers={"Retry-After": "7"}),
            PaymentUnavailable,
            {"retry_after_seconds": 7},
        ),
        (stripe.RateLimitError(SAID, http_status=429, headers={"Retry-After": "soon"}), PaymentUnavailable, {}),
        (stripe.InvalidRequestError(SAID, None, code="lock_timeout", http_status=400), PaymentUnavailable, {}),
        (stripe.InvalidRequestError(SAID, None, code="idempotency_key_in_use"), PaymentUnavailable, {}),
        (stripe.AuthenticationError(SAID, http_status=401), GatewayMisconfigured, {"setting": SETTING}),
        (stripe.PermissionError(SAID, http_status=403), GatewayMisconfigured, {"setting": SETTING}),
        (stripe.CardError(SAID, None, "card_declined", http_status=402), PaymentRefused, {"reason": "declined"}),
        (stripe.InvalidRequestError(SAID, "id", code="resource_missing", http_status=404), UnknownReference, {}),
        (
            stripe.InvalidRequestError(SAID, None, code="charge_already_refunded", http_status=400),
            PaymentRefused,
            {"reason": "charge_already_refunded"},
        ),
        (stripe.InvalidRequestError(SAID, None, http_status=400), PaymentRefused, {"reason": "invalid_request"}),
        (stripe.InvalidRequestError(SAID, None, code="No Code"), PaymentRefused, {"reason": "invalid_request"}),
        (stripe.IdempotencyError(SAID, http_status=400), PaymentRefused, {"reason": "idempotency_error"}),
    ],
)
def test_an_error_is_translated(
    error: stripe.StripeError, expected: type[StatuetteError], attributes: dict[str, object]
) -> None:
    told = translated(error, SETTING)
    assert type(told) is expected
    assert told.attributes == attributes
    assert "sk_test" not in f"{told} {told!r}"


def test_an_idempotency_key_that_is_too_long_is_shortened_always_alike() -> None:
    assert idempotency_key("k" * 255) == "k" * 255
    assert len(idempotency_key("k" * 256)) == 64
    assert idempotency_key("k" * 256) == idempotency_key("k" * 256) != idempotency_key("k" * 257)
