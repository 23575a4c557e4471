"""Rules of uploads: what may be used, what is kept, and which deadline moves when."""

from __future__ import annotations

from datetime import datetime, timedelta

from statuette.errors import Conflict, InvalidInput, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.uploads import repository
from statuette.kernel.domain.uploads.repository import UploadRow
from statuette.kernel.enforcement import deadlines
from statuette.kernel.pixels.results import NormalisedPhoto
from statuette.policy import EffectivePolicy

DATASET = "uploads"
STATEMENT = "I may use this picture: everybody in it is me, or agreed to this use."


class StatementRequired(InvalidInput):
    """The person did not say that they may use the picture. Final for this request."""

    code = "statement_required"
    summary = "The statement about the picture is missing."


class UploadNotReady(Conflict):
    code = "upload_not_ready"
    retryable = True
    summary = "The upload is still being taken in."


class UploadExpiresTooSoon(Conflict):
    """The photo's last deadline comes before a job could be sure to end. Final: upload it again."""

    code = "upload_expires_too_soon"
    summary = "The photo will be deleted before the job could end."


def object_prefix(brand_id: str, upload_id: str) -> str:
    return f"uploads/{brand_id}/{upload_id}/"


def object_key(brand_id: str, upload_id: str) -> str:
    return f"{object_prefix(brand_id, upload_id)}photo.jpg"


async def begin(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    statement_digest: str,
    policy: EffectivePolicy,
    longest_job: timedelta,
) -> str:
    """Write the row and all of its deadlines; returns the id. The first byte is stored after this is committed."""
    upload_id = tx.new_id("upl")
    await repository.insert(
        tx, upload_id=upload_id, brand_id=brand_id, account_id=account_id, statement_digest=statement_digest
    )
    cap = policy.rule("upload.cap")
    due = {
        "upload.unused": tx.now + policy.rule("upload.unused").after,
        "upload.cap": tx.now + cap.after + (longest_job if cap.longest_job_added else timedelta(0)),
        "upload.used": None,
        "upload.saved": None,
        "upload.asked": None,
    }
    for rule, due_at in due.items():
        await deadlines.schedule(
            tx,
            brand_id=brand_id,
            account_id=account_id,
            dataset=DATASET,
            record_id=upload_id,
            rule=rule,
            policy_digest=policy.digest,
            due_at=due_at,
        )
    return upload_id


async def complete(tx: Transaction, brand_id: str, upload_id: str, photo: NormalisedPhoto) -> None:
    """The object is stored. Raises `NotFound` when a deadline passed meanwhile."""
    if not await repository.make_ready(tx, brand_id, upload_id, photo):
        raise NotFound()


async def size_bytes(reader: Reader, upload_id: str) -> int:
    """How much memory it takes, about; whoever's it is. 0 if it is gone."""
    return await repository.size_bytes(reader, upload_id)


async def get(reader: Reader, brand_id: str, account_id: str, upload_id: str) -> UploadRow:
    """Raises `NotFound`."""
    row = await repository.get(reader, brand_id, account_id, upload_id)
    if row is None:
        raise NotFound()
    return row


async def use(
    tx: Transaction, *, brand_id: str, account_id: str, upload_id: str, policy: EffectivePolicy, longest_job: timedelta
) -> UploadRow:
    """A job is about to be accepted: the photo stays until it ends.

    Raises:
        NotFound, UploadNotReady, UploadExpiresTooSoon.
    """
    row = await _locked(tx, brand_id, account_id, upload_id)
    if row.state != "ready":
        raise UploadNotReady()
    if row.saved_at is None:
        cap = policy.rule("upload.cap").after
        slack = longest_job if policy.rule("upload.cap").longest_job_added else timedelta(0)
        if row.created_at + cap + slack < tx.now + longest_job:
            raise UploadExpiresTooSoon(cure="Upload the photo again, or save it before it is used.")
    await _arm(tx, upload_id, "upload.unused", None)
    await _arm(tx, upload_id, "upload.used", None)
    return row


async def job_ended(tx: Transaction, upload_id: str, policy: EffectivePolicy) -> None:
    """The last job that used the photo ended: the clock of `upload.used` starts, unless the photo is saved."""
    # Locked, so that whoever saves the photo at this moment does so before or after.
    saved = await tx.rows(f"SELECT saved_at FROM upload WHERE id = :id{tx.for_update}", id=upload_id)
    if saved and saved[0]["saved_at"] is None:
        # A photo whose deadline passed meanwhile is past saving; then there is nothing to arm.
        await deadlines.arm(tx, upload_id, "upload.used", tx.now + policy.rule("upload.used").after)


async def save(tx: Transaction, *, brand_id: str, account_id: str, upload_id: str) -> None:
    """Keep the photo until its owner says otherwise. Raises `NotFound`, `UploadNotReady`."""
    row = await _locked(tx, brand_id, account_id, upload_id)
    if row.state != "ready":
        raise UploadNotReady()
    if row.saved_at is not None:
        return
    for rule in ("upload.used", "upload.unused", "upload.cap", "upload.saved"):
        await _arm(tx, upload_id, rule, None)
    await repository.set_saved(tx, upload_id, tx.now)


async def unsave(tx: Transaction, *, brand_id: str, account_id: str, upload_id: str, policy: EffectivePolicy) -> None:
    """No longer keep the photo: the clock of `upload.saved` starts. Raises `NotFound`."""
    row = await _locked(tx, brand_id, account_id, upload_id)
    if row.saved_at is None:
        return
    await _arm(tx, upload_id, "upload.saved", tx.now + policy.rule("upload.saved").after)
    await repository.set_saved(tx, upload_id, None)


async def ask_deletion(tx: Transaction, *, brand_id: str, account_id: str, upload_id: str) -> None:
    """Delete now: invisible from this commit on. Raises `NotFound`."""
    await _locked(tx, brand_id, account_id, upload_id)
    await _arm(tx, upload_id, "upload.asked", tx.now)


async def _locked(tx: Transaction, brand_id: str, account_id: str, upload_id: str) -> UploadRow:
    row = await repository.lock(tx, brand_id, account_id, upload_id)
    if row is None:
        raise NotFound()
    return row


async def _arm(tx: Transaction, upload_id: str, rule: str, due_at: datetime | None) -> None:
    # The row is locked and visible, so only a deadline that falls due this very moment can refuse.
    if not await deadlines.arm(tx, upload_id, rule, due_at):
        raise NotFound()
