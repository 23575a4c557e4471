"""Receipts of erased accounts: for whoever was told a text while there still was an account.

The text names the account and holds 256 random bits. It is shown once; a hash of it finds the receipt, and the salt of the
receipt's commitments is made of it. So when the account is gone nothing that is stored leads from the receipt to it, and the
holder can prove with it what was erased.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

import msgspec

from statuette.evidence import Committed, commit
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.evidence import tables
from statuette.kernel.evidence.receipts import HeldReceipt

_TOKEN = re.compile(r"(acc_[0-9a-z]{26})\.([A-Za-z0-9_-]{43})")


class Sealed(msgspec.Struct, frozen=True):
    """Attributes:
    entry: its place in the log; None until it is there.
    """

    id: str
    body: str
    entry: int | None


def new_token(account_id: str) -> str:
    """A text for the holder of the receipt of an account's erasure."""
    return f"{account_id}.{secrets.token_urlsafe(32)}"


async def expect(tx: Transaction, *, brand_id: str, account_id: str, token: str) -> str:
    """Have the receipt of the account's erasure be for whoever knows the text; returns what it is found by."""
    holder, salt = _hash(token), _salt(token)
    await tx.execute("DELETE FROM receipt_holder WHERE account_id = :account_id", account_id=account_id)
    await tx.insert(
        tables.ReceiptHolder,
        account_id=account_id,
        brand_id=brand_id,
        holder=holder,
        subject=commit(Committed.subject, salt, account_id),
        account=commit(Committed.account, salt, account_id),
        created_at=tx.now,
    )
    return holder


async def forget(tx: Transaction, account_id: str) -> None:
    """The account stays; there will be no such receipt."""
    await tx.execute("DELETE FROM receipt_holder WHERE account_id = :account_id", account_id=account_id)


async def known(reader: Reader, token: str) -> bool:
    """Whether there will be a receipt for this text, or is one."""
    if _TOKEN.fullmatch(token) is None:
        return False
    rows = await reader.rows(
        "SELECT 1 AS found FROM receipt_holder WHERE account_id = :account_id AND holder = :holder",
        account_id=token.partition(".")[0],
        holder=_hash(token),
    )
    return bool(rows) or await sealed(reader, _hash(token)) is not None


async def held(reader: Reader, token: str) -> HeldReceipt | None:
    """The receipt for this text, opened with it; None when there is none, or not yet."""
    found = _TOKEN.fullmatch(token)
    row = await sealed(reader, _hash(token)) if found is not None else None
    if found is None or row is None:
        return None
    account_id = found.group(1)
    return HeldReceipt(row.id, account_id, account_id, _salt(token), row.body, row.entry)


async def sealed(reader: Reader, holder: str) -> Sealed | None:
    """The receipt that is found by `holder`."""
    return await reader.one(Sealed, "SELECT id, body, entry FROM receipt WHERE holder = :holder", holder=holder)


async def drop(tx: Transaction, holder: str) -> None:
    """The log keeps what the receipt says; the receipt itself was kept for long enough."""
    await tx.execute("DELETE FROM receipt WHERE holder = :holder AND entry IS NOT NULL", holder=holder)


def holder_of(token: str) -> str:
    """What the receipt for this text is found by."""
    return _hash(token)


def _hash(token: str) -> str:
    return sha256(b"statuette erasure receipt holder\0" + token.encode()).hexdigest()


def _salt(token: str) -> bytes:
    return sha256(b"statuette erasure receipt salt\0" + token.encode()).digest()
