"""What Stripe's errors mean to the payment port (https://docs.stripe.com/api/errors).

Only codes are passed on: Stripe's messages can hold parts of keys and of what people entered.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from statuette.errors import StatuetteError
from statuette.ports.payment import GatewayMisconfigured, PaymentRefused, PaymentUnavailable, UnknownReference

if TYPE_CHECKING:
    import stripe

_LONGEST_KEY = 255  # https://docs.stripe.com/api/idempotent_requests
_CODE = re.compile(r"[a-z][a-z0-9_]{0,99}")
_COME_BACK = {"lock_timeout", "idempotency_key_in_use", "rate_limit"}


def translated(error: stripe.StripeError, setting: str) -> StatuetteError:
    """The port's error for Stripe's.

    Args:
        setting: the name of the setting that holds the key.
    """
    import stripe

    status = error.http_status or 0
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        wrong = "lacks a permission" if isinstance(error, stripe.PermissionError) else "is not valid"
        return GatewayMisconfigured(
            f"Stripe says that the key in the setting {setting} {wrong}.",
            cure="Check the key and its permissions in Stripe's dashboard.",
            setting=setting,
        )
    again = isinstance(error, stripe.APIConnectionError | stripe.RateLimitError) or error.code in _COME_BACK
    if again or status >= 500 or (isinstance(error, stripe.APIError) and not 400 <= status < 500):
        after = _retry_after(error)
        return PaymentUnavailable() if after is None else PaymentUnavailable(retry_after_seconds=after)
    if isinstance(error, stripe.CardError):
        return PaymentRefused(reason="declined")
    if error.code == "resource_missing":
        return UnknownReference()
    code = error.code or ("idempotency_error" if isinstance(error, stripe.IdempotencyError) else "")
    return PaymentRefused(reason=code if _CODE.fullmatch(code) else "invalid_request")


def idempotency_key(key: str) -> str:
    """As it is, or a digest of it where Stripe would not take its length."""
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _retry_after(error: stripe.StripeError) -> int | None:
    for name, value in (error.headers or {}).items():
        if name.lower() == "retry-after" and value.isascii() and value.isdigit() and len(value) <= 6:
            return int(value)
    return None
