"""Legal holds: what a court, an authority or a dispute needs is kept past its deadline. It is out of sight, not deleted.

A hold names a record (a photo, a figurine, an account) or something it hangs on: its account, a job that made or used it. Whoever
enforces a deadline looks for holds in the transaction after which there is no way back, so a hold that was answered for
is kept, and one that comes too late is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from statuette.dataset import Dataset
from statuette.errors import InvalidInput, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.enforcement.due import ACTOR
from statuette.kernel.enforcement.tables import LegalHold
from statuette.kernel.journal.entries import Hold
from statuette.kernel.journal.notes import note
from statuette.values import is_id

SUBJECTS = ("acc", "upl", "fig", "gen", "sup")
LONGEST_REFERENCE = 80
RESTORED = "the erasure journal"
"""Who placed or lifted a hold that a restored database did not know of."""
_LOCK = "pg_advisory_xact_lock{}(7209)"


class HoldReason(StrEnum):
    court_order = "court_order"
    authority_order = "authority_order"
    legal_claim = "legal_claim"
    dispute = "dispute"


class HoldView(msgspec.Struct, frozen=True):
    """A hold.

    Attributes:
        subject: the id that is held.
        reference: the operator's own, such as a case number.
        placed_by: who placed it, as the caller said or as its key is called.
        lifted_at: null while it is in force.
    """

    id: str
    brand_id: str
    subject: str
    reason: HoldReason
    reference: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


class Placed(msgspec.Struct, frozen=True):
    """Attributes:
    too_late: ids of records that it names and whose deletion had begun: they could not be kept any more.
    """

    hold: HoldView
    too_late: tuple[str, ...]


class UnknownSubject(InvalidInput):
    code = "unknown_hold_subject"
    summary = "A hold names an account, a photo, a figurine, a job or a question by its id."


class _Begun(msgspec.Struct, frozen=True):
    account_id: str | None
    dataset: str
    record_id: str


class _HoldId(msgspec.Struct, frozen=True):
    id: str


async def place(
    tx: Transaction,
    datasets: Mapping[str, Dataset],
    *,
    brand_id: str,
    subject: str,
    reason: HoldReason,
    reference: str,
    placed_by: str,
) -> Placed:
    """Hold everything that `subject` names now and later. The subject need not exist (any more).

    Raises:
        InvalidInput: no such kind of subject, or a reference that is too long.
    """
    if not any(is_id(subject, kind) for kind in SUBJECTS):
        raise UnknownSubject(cure=f"Name it by its id, which begins with one of: {', '.join(SUBJECTS)}.")
    if len(reference) > LONGEST_REFERENCE:
        raise InvalidInput(f"The reference is longer than {LONGEST_REFERENCE} characters.")
    if tx.postgres:  # wait for those that are past looking for holds, so that what they began is seen below
        await tx.execute(f"SELECT {_LOCK.format('')}")
    hold = HoldView(tx.new_id("hld"), brand_id, subject, reason, reference, placed_by[:120], tx.now, None, None)
    await tx.insert(LegalHold, **{name: getattr(hold, name) for name in hold.__struct_fields__})
    await note(tx, Hold(tx.now, brand_id, hold.id, subject, reason))
    begun = await tx.all(
        _Begun,
        "SELECT d.account_id, d.dataset, d.record_id FROM work_item w JOIN deadline d ON d.id = w.subject_id"
        " WHERE w.actor = :actor AND d.brand_id = :brand_id AND d.begun_at IS NOT NULL AND d.state = 'executing'",
        actor=ACTOR,
        brand_id=brand_id,
    )
    too_late = [each.record_id for each in begun if subject in await _names(tx, datasets, each)]
    return Placed(hold, tuple(sorted(set(too_late))))


async def lift(tx: Transaction, *, brand_id: str, hold_id: str, lifted_by: str) -> HoldView:
    """End a hold; deadlines that it stopped are due as they were, unless another hold keeps them. Lifting twice is fine.

    Raises:
        NotFound: the brand has no such hold.
    """
    lifted = await tx.changed(
        "UPDATE legal_hold SET lifted_by = :by, lifted_at = :now WHERE id = :id AND brand_id = :brand_id AND lifted_at IS NULL"
        " RETURNING id",
        id=hold_id,
        brand_id=brand_id,
        by=lifted_by[:120],
        now=tx.now,
    )
    await tx.execute(
        "UPDATE deadline SET state = 'scheduled', hold_id = NULL, updated_at = :now"
        " WHERE state = 'held' AND hold_id = :hold_id AND brand_id = :brand_id",
        hold_id=hold_id,
        brand_id=brand_id,
        now=tx.now,
    )
    hold = await tx.one(
        HoldView,
        f"SELECT {columns_of(HoldView)} FROM legal_hold WHERE id = :id AND brand_id = :brand_id",
        id=hold_id,
        brand_id=brand_id,
    )
    if hold is None:
        raise NotFound()
    if lifted:
        await note(tx, Hold(tx.now, brand_id, hold_id, hold.subject, hold.reason, lifted=True))
    return hold


async def again(tx: Transaction, entry: Hold) -> bool:
    """After a restore: the hold is as the journal says; whether it was not. Idempotent."""
    known = await tx.value("SELECT id FROM legal_hold WHERE id = :id", id=entry.hold_id)
    if not entry.lifted:
        if known is None:
            hold = HoldView(
                entry.hold_id,
                entry.brand_id,
                entry.subject,
                HoldReason(entry.reason),
                "",
                RESTORED,
                entry.at,
                None,
                None,
            )
            await tx.insert(LegalHold, **{name: getattr(hold, name) for name in hold.__struct_fields__})
        return known is None
    if known is None:
        return False
    held = await tx.value("SELECT id FROM legal_hold WHERE id = :id AND lifted_at IS NULL", id=entry.hold_id)
    await lift(tx, brand_id=entry.brand_id, hold_id=entry.hold_id, lifted_by=RESTORED)
    return held is not None


async def listed(
    reader: Reader, *, brand_id: str, include_lifted: bool, before: str | None, limit: int
) -> list[HoldView]:
    """A brand's, newest first."""
    conditions = ["brand_id = :brand_id"]
    if not include_lifted:
        conditions.append("lifted_at IS NULL")
    if before is not None:
        conditions.append("id < :before")
    return await reader.all(
        HoldView,
        f"SELECT {columns_of(HoldView)} FROM legal_hold WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :limit",
        brand_id=brand_id,
        limit=limit,
        **({"before": before} if before is not None else {}),
    )


def keeping_others_out(tx: Transaction) -> str:
    """A column to select, in the statement that locks the work: whoever places a hold then waits for the transaction's end.

    Not in the statement that looks for holds: that would see what there was before it waited.
    """
    return f", {_LOCK.format('_shared')} AS alone" if tx.postgres else ""


async def holding(
    tx: Transaction,
    datasets: Mapping[str, Dataset],
    *,
    brand_id: str,
    account_id: str | None,
    dataset: str,
    record_id: str,
) -> str | None:
    """The id of a hold that keeps the record. No hold is placed that it did not see, until the end of a transaction whose
    earlier statement selected `keeping_others_out`.
    """
    if not await tx.rows(
        "SELECT id FROM legal_hold WHERE brand_id = :brand_id AND lifted_at IS NULL LIMIT 1", brand_id=brand_id
    ):
        return None
    for name in await _names(tx, datasets, _Begun(account_id, dataset, record_id)):
        found = await tx.one(
            _HoldId,
            "SELECT id FROM legal_hold WHERE brand_id = :brand_id AND subject = :subject AND lifted_at IS NULL"
            " ORDER BY id LIMIT 1",
            brand_id=brand_id,
            subject=name,
        )
        if found is not None:
            return found.id
    return None


async def _names(tx: Transaction, datasets: Mapping[str, Dataset], record: _Begun) -> tuple[str, ...]:
    """Every id under which a hold may name the record."""
    dataset = datasets.get(record.dataset)
    others = await dataset.aliases(tx, record.record_id) if dataset is not None and dataset.aliases is not None else ()
    return (record.record_id, *((record.account_id,) if record.account_id is not None else ()), *others)
