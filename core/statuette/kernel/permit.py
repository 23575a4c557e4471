"""Permits: short-lived proofs that a purpose may touch categories of one account's data now.

Minted by the consent domain, checked by the egress. A permit lives for seconds, so that a consent taken back stops the
next call, not the next day's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from statuette.errors import StatuetteError

LIFETIME = timedelta(seconds=30)


class PermitRefused(StatuetteError):
    """The policy in force lets the purpose carry none of this out. Final. Attributes `purpose`, `categories`."""

    code = "permit_refused"
    summary = "The privacy policy does not allow this use of data."


class Permit(msgspec.Struct, frozen=True):
    """What may be done with whose data until when.

    Attributes:
        account_id: whose data it is; None where there is no account yet (a first sign-in code).
        categories: category ids of the policy catalogue.
        policy_digest: the policy that allowed it.
        receivers: ids of the only processors that may get it; None: any that declares purpose and categories.
    """

    brand_id: str
    account_id: str | None
    purpose: str
    categories: frozenset[str]
    policy_digest: str
    issued_at: datetime
    expires_at: datetime
    receivers: frozenset[str] | None = None

    def covers(self, purpose: str, categories: frozenset[str], now: datetime) -> bool:
        """Whether `purpose` may touch all of `categories` at `now`."""
        return purpose == self.purpose and categories <= self.categories and self.issued_at <= now < self.expires_at
