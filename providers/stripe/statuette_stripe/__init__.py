"""Payments by Stripe: the keys of each brand, its events, and what its errors mean to the payment port."""

from statuette_stripe.config import Keys, StripeConfig, check, keys_for
from statuette_stripe.events import EventReader
from statuette_stripe.failures import idempotency_key, translated

__all__ = ["EventReader", "Keys", "StripeConfig", "check", "idempotency_key", "keys_for", "translated"]
