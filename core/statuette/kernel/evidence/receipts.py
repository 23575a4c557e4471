"""Receipts: written when an enforcement is verified, handed to their holder once they are in the log."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec

from statuette.evidence import (
    Check,
    Committed,
    Receipt,
    ReceiptKind,
    Residual,
    StoreKind,
    StoreOutcome,
    StoreResult,
    commit,
    entry_of,
    new_salt,
    read_entry,
)
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.evidence import tables
from statuette.policy import Action, Trigger

_READ_AT_ONCE = 500


class ReceiptRow(msgspec.Struct, frozen=True):
    """A receipt as its holder sees it in a list.

    Attributes:
        entry: its place in the log; None until it is in there.
    """

    id: str
    record_id: str
    body: str
    entry: int | None
    created_at: datetime


class Holder(msgspec.Struct, frozen=True):
    """Who holds the receipt of an account's erasure, as a hash, and commitments that they can open: see `holders`."""

    holder: str
    subject: str
    account: str


class _Told(msgspec.Struct, frozen=True):
    id: str
    body: str


class HeldReceipt(msgspec.Struct, frozen=True):
    """A receipt and what opens its commitments."""

    id: str
    record_id: str
    account_id: str
    salt: bytes
    body: str
    entry: int | None


async def issue(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str | None,
    record_id: str,
    deadline_id: str,
    rule: str,
    policy_digest: str,
    dataset: str,
    action: Action,
    trigger: Trigger | None,
    due_at: datetime,
    intent_at: datetime,
    executed_at: datetime,
    stores: tuple[StoreOutcome, ...],
    residuals: tuple[Residual, ...],
) -> None:
    """Write the receipt of what has just been verified. Its holder can open it for as long as there is an account."""
    salt = new_salt()
    ends = account_id is None or record_id == account_id  # nobody is left to hold it, but who was told what opens it
    holder = await _holder(tx, record_id) if ends else None
    receipt = Receipt(
        id=tx.new_id("rcp"),
        kind=ReceiptKind.residual if residuals else ReceiptKind.enforced,
        rule=rule,
        policy_digest=policy_digest,
        dataset=dataset,
        action=action,
        trigger=trigger,
        due_at=due_at,
        intent_at=intent_at,
        executed_at=executed_at,
        verified_at=tx.now,
        stores=stores,
        residuals=residuals,
        subject=holder.subject if holder is not None else commit(Committed.subject, salt, record_id),
        account=_account(salt, account_id, holder),
    )
    await tx.insert(
        tables.Receipt,
        id=receipt.id,
        brand_id=brand_id,
        account_id=None if ends else account_id,
        record_id=None if ends else record_id,
        salt=None if ends else salt,
        deadline_id=deadline_id,
        body=entry_of(receipt).decode(),
        entry=None,
        created_at=tx.now,
        holder=holder.holder if holder is not None else None,
    )


async def _holder(tx: Transaction, record_id: str) -> Holder | None:
    """Who will hold the receipt of an account's erasure; from now on the receipt alone tells."""
    return await tx.one(
        Holder,
        "DELETE FROM receipt_holder WHERE account_id = :account_id RETURNING holder, subject, account",
        account_id=record_id,
    )


def _account(salt: bytes, account_id: str | None, holder: Holder | None) -> str | None:
    if holder is not None:
        return holder.account
    return commit(Committed.account, salt, account_id) if account_id is not None else None


async def forget_account(tx: Transaction, account_id: str) -> None:
    """Take out what opens the account's receipts: what the log says of it is nobody's from now on."""
    await tx.execute("DELETE FROM receipt WHERE account_id = :account_id AND entry IS NOT NULL", account_id=account_id)
    await tx.execute(
        "UPDATE receipt SET account_id = NULL, record_id = NULL, salt = NULL WHERE account_id = :account_id",
        account_id=account_id,
    )


async def told_of_account(reader: Reader, account_id: str) -> tuple[tuple[StoreOutcome, ...], tuple[Residual, ...]]:
    """What the receipts of an account tell together: each store once, with the sum, and what processors still keep."""
    counts: Counter[tuple[str, StoreKind, StoreResult, Check]] = Counter()
    kept: dict[tuple[str, tuple[str, ...]], datetime | None] = {}
    after = ""
    while page := await reader.all(
        _Told,
        "SELECT id, body FROM receipt WHERE account_id = :account_id AND id > :after ORDER BY id LIMIT :limit",
        account_id=account_id,
        after=after,
        limit=_READ_AT_ONCE,
    ):
        after = page[-1].id
        for row in page:
            receipt = read_entry(row.body.encode())
            for store in receipt.stores:
                counts[(store.store, store.kind, store.outcome, store.check)] += store.count
            for residual in receipt.residuals:
                if residual.until is None or residual.until > reader.now:
                    place = (residual.processor, residual.categories)
                    known = kept.get(place, residual.until)
                    later = None if known is None or residual.until is None else max(known, residual.until)
                    kept[place] = later
    stores = tuple(
        StoreOutcome(store=store, kind=kind, outcome=outcome, count=count, check=check)
        for (store, kind, outcome, check), count in sorted(counts.items())
    )
    residuals = tuple(
        Residual(processor=processor, categories=categories, until=until)
        for (processor, categories), until in sorted(kept.items())
    )
    return stores, residuals


async def listed(reader: Reader, brand_id: str, account_id: str, *, before: str | None, limit: int) -> list[ReceiptRow]:
    """Newest first."""
    return await reader.all(
        ReceiptRow,
        "SELECT id, record_id, body, entry, created_at FROM receipt WHERE account_id = :account_id"
        " AND brand_id = :brand_id AND id < :before ORDER BY id DESC LIMIT :limit",
        account_id=account_id,
        brand_id=brand_id,
        before=before or "rcp_~",
        limit=limit,
    )


async def held(reader: Reader, brand_id: str, account_id: str, receipt_id: str) -> HeldReceipt | None:
    return await reader.one(
        HeldReceipt,
        "SELECT id, record_id, account_id, salt, body, entry FROM receipt"
        " WHERE id = :id AND account_id = :account_id AND brand_id = :brand_id",
        id=receipt_id,
        account_id=account_id,
        brand_id=brand_id,
    )


async def of_subject(reader: Reader, subject: str) -> HeldReceipt | None:
    """The receipt of that id, or the newest one of the record with that id; None also for what was of an erased account."""
    columns = "r.id, r.record_id, r.account_id, r.salt, r.body, r.entry"
    if subject.startswith("rcp_"):
        return await reader.one(
            HeldReceipt, f"SELECT {columns} FROM receipt r WHERE r.id = :id AND r.account_id IS NOT NULL", id=subject
        )
    return await reader.one(
        HeldReceipt,
        f"SELECT {columns} FROM deadline d JOIN receipt r ON r.account_id = d.account_id AND r.record_id = d.record_id"
        " WHERE d.record_id = :id ORDER BY r.id DESC LIMIT 1",
        id=subject,
    )
