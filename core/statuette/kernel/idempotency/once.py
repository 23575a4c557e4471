"""Requests that happen once (`Idempotency-Key`, https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).

Kept for 24 hours: the status and the id of what was made; the answer is rendered anew, so no secret is replayed. Work in the
database alone claims and finishes in one transaction, and a second request waits for the first. Work with an outside call
claims first, under a lease, and a second request is told to come back.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec

from statuette.errors import Conflict, InvalidInput
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.idempotency.tables import IdempotencyKey

KEPT_FOR = timedelta(hours=24)
_LEASE = timedelta(minutes=2)


class InvalidIdempotencyKey(InvalidInput):
    code = "invalid_idempotency_key"
    summary = "The Idempotency-Key must be 1 to 255 visible ASCII characters."


class IdempotencyKeyReused(InvalidInput):
    """Final: the key belongs to a request with another body."""

    code = "idempotency_key_reused"
    summary = "This Idempotency-Key was used for a different request."


class RequestInFlight(Conflict):
    """The first request with this key is still at work."""

    code = "request_in_flight"
    retryable = True
    summary = "The first request with this Idempotency-Key has not ended yet."


class Made(msgspec.Struct, frozen=True):
    """What the first request made."""

    status: int
    resource_id: str


class _Row(msgspec.Struct, frozen=True):
    fingerprint: str
    status: int
    resource_id: str | None
    lease_until: datetime | None


class Once:
    """One keyed request of one caller on one route."""

    def __init__(self, *, brand_id: str, principal: str, route: str, key: str, body: bytes) -> None:
        if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
            raise InvalidIdempotencyKey()
        self._brand_id = brand_id
        self._principal = principal
        self._id = hashlib.sha256(msgspec.json.encode((brand_id, principal, route, key))).hexdigest()
        self._fingerprint = hashlib.sha256(body).hexdigest()

    async def begin(self, tx: Transaction, *, outside_call: bool = False) -> Made | None:
        """Claim the key. None: go ahead. Raises `IdempotencyKeyReused`, `RequestInFlight`."""
        await tx.execute(
            "DELETE FROM idempotency_key WHERE id = :id AND created_at <= :old", id=self._id, old=tx.now - KEPT_FOR
        )
        lease_until = tx.now + _LEASE if outside_call else None
        if await tx.insert_new(
            IdempotencyKey,
            id=self._id,
            brand_id=self._brand_id,
            principal=self._principal,
            fingerprint=self._fingerprint,
            status=0,
            resource_id=None,
            lease_until=lease_until,
            created_at=tx.now,
        ):
            return None
        row = await tx.one(
            _Row,
            "SELECT fingerprint, status, resource_id, lease_until FROM idempotency_key WHERE id = :id",
            id=self._id,
        )
        if row is None:
            raise RequestInFlight(retry_after_seconds=1)
        if row.fingerprint != self._fingerprint:
            raise IdempotencyKeyReused(cure="Use a new key for a new request.")
        if row.resource_id is not None:
            return Made(row.status, row.resource_id)
        # Claimed and not finished: by a live request, or by one that died.
        if not await tx.changed(
            "UPDATE idempotency_key SET lease_until = :until WHERE id = :id AND lease_until <= :now RETURNING id",
            id=self._id,
            until=lease_until,
            now=tx.now,
        ):
            raise RequestInFlight(retry_after_seconds=2)
        return None

    async def finish(self, tx: Transaction, *, status: int, resource_id: str) -> None:
        await tx.execute(
            "UPDATE idempotency_key SET status = :status, resource_id = :resource_id, lease_until = NULL WHERE id = :id",
            id=self._id,
            status=status,
            resource_id=resource_id,
        )

    async def abandon(self, tx: Transaction) -> None:
        """The request failed and made nothing; the key may be used again."""
        await tx.execute("DELETE FROM idempotency_key WHERE id = :id AND resource_id IS NULL", id=self._id)


async def forget_claims(database: Database) -> None:
    """After a start of the only process: no request of an earlier life is under way, so none keeps its key claimed."""
    async with database.transaction() as tx:
        await tx.execute("UPDATE idempotency_key SET lease_until = :now WHERE lease_until IS NOT NULL", now=tx.now)
