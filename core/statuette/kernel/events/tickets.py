"""Stream tickets: an EventSource sends no headers, so a signed-in client buys a pass for one stream, good once, for a minute."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec

from statuette.kernel.db.database import Transaction
from statuette.kernel.events.tables import StreamTicket

LIFETIME = timedelta(seconds=60)


class Pass(msgspec.Struct, frozen=True):
    """What a ticket opens."""

    brand_id: str
    account_id: str
    generation_id: str


async def issue(tx: Transaction, *, brand_id: str, account_id: str, generation_id: str) -> tuple[str, datetime]:
    """A new ticket and when it expires. The ticket itself is not stored."""
    ticket = f"tkt_{secrets.token_urlsafe(32)}"
    await tx.insert(
        StreamTicket,
        token_hash=_hash(ticket),
        brand_id=brand_id,
        account_id=account_id,
        generation_id=generation_id,
        created_at=tx.now,
        expires_at=tx.now + LIFETIME,
    )
    return ticket, tx.now + LIFETIME


async def redeem(tx: Transaction, ticket: str) -> Pass | None:
    """Use a ticket up; None when it is unknown, used or expired."""
    return await tx.one(
        Pass,
        "DELETE FROM stream_ticket WHERE token_hash = :token_hash AND expires_at > :now"
        " RETURNING brand_id, account_id, generation_id",
        token_hash=_hash(ticket),
        now=tx.now,
    )


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
