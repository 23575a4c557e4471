"""Rules of uploads: what may be used, what is kept, and which deadline moves when."""

from __future__ import annotations

from datetime import datetime, timedelta

from statuette.errors import Conflict, InvalidInput, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.statements import service as statements
from statuette.kernel.domain.statements.words import Statement, Wording, chosen, wordings
from statuette.kernel.domain.uploads import repository
from statuette.kernel.domain.uploads.repository import UploadRow
from statuette.kernel.enforcement import deadlines
from statuette.kernel.journal.entries import Wish
from statuette.kernel.journal.notes import note
from statuette.kernel.pixels.results import NormalisedPhoto
from statuette.policy import EffectivePolicy, Exemption, Retain, Trigger
from statuette.policy.enforcers import enforces

DATASET = "uploads"
RULES = ("upload.used", "upload.unused", "upload.cap", "upload.saved", "upload.asked")
UNSAVED = "upload.unsaved"


class StatementRequired(InvalidInput):
    """The person did not say that they may use the picture. Final for this request."""

    code = "statement_required"
    summary = "The statement about the picture is missing."


class UploadNotReady(Conflict):
    code = "upload_not_ready"
    retryable = True
    summary = "The upload is still being taken in."


class UploadStatementOutdated(Conflict):
    """The statement about the picture has been worded anew since it was uploaded. Final until it is made again."""

    code = "upload_statement_outdated"
    summary = "What is stated about a photo has been worded anew since this one was uploaded."


class UploadExpiresTooSoon(Conflict):
    """The photo's last deadline comes before a job could be sure to end. Final: upload it again."""

    code = "upload_expires_too_soon"
    summary = "The photo will be deleted before the job could end."


@enforces("depicted.statement")
def refuse_silence(said: bool) -> None:
    """Raises `StatementRequired` where nothing is said of who is in the picture."""
    if not said:
        raise StatementRequired(cure="Send the field `statement` as `true` once the person agreed to it.")


def stated(asked: Statement, digest: str | None, locale: str) -> Wording:
    """The words that the person was shown. Raises `StatementOutdated` where others are in force."""
    shown = chosen(asked, digest, locale)
    if shown is None:
        raise statements.outdated(asked, locale)
    return shown


def object_prefix(brand_id: str, upload_id: str) -> str:
    return f"uploads/{brand_id}/{upload_id}/"


def object_key(brand_id: str, upload_id: str) -> str:
    return f"{object_prefix(brand_id, upload_id)}photo.jpg"


async def begin(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    stated: Wording,
    policy: EffectivePolicy,
    longest_job: timedelta,
) -> str:
    """Write the row and all of its deadlines; returns the id. The first byte is stored after this is committed."""
    upload_id = tx.new_id("upl")
    await statements.keep(tx, stated)
    await repository.insert(
        tx, upload_id=upload_id, brand_id=brand_id, account_id=account_id, statement_digest=stated.digest
    )
    due = {
        rule.id: _due(rule, tx.now, longest_job) if Trigger.created in rule.triggers else None
        for rule in _rules(policy)
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
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    upload_id: str,
    asked: Statement,
    policy: EffectivePolicy,
    longest_job: timedelta,
) -> UploadRow:
    """A job is about to be accepted: the photo stays until it ends.

    Args:
        asked: what the brand asks about every photo.

    Raises:
        NotFound, UploadNotReady, UploadStatementOutdated, UploadExpiresTooSoon.
    """
    row = await _locked(tx, brand_id, account_id, upload_id)
    if row.state != "ready":
        raise UploadNotReady()
    if not is_stated(row, asked):
        raise UploadStatementOutdated(
            upload_id=upload_id,
            cure=f"Show the words of `GET /v1/statements`, then send PUT /v1/uploads/{upload_id}/statement.",
        )
    for rule in _rules(policy):
        if Exemption.in_use in rule.exemptions:
            await _arm(tx, upload_id, rule.id, None)
            continue
        saved = row.saved_at is not None and Exemption.saved in rule.exemptions
        runs = Trigger.created in rule.triggers and not saved
        if runs and _due(rule, row.created_at, longest_job) < tx.now + longest_job:
            raise UploadExpiresTooSoon(cure="Upload the photo again, or save it before it is used.")
    return row


async def job_ended(tx: Transaction, upload_id: str, policy: EffectivePolicy) -> None:
    """The last job that used the photo ended: the clock of `upload.used` starts, unless the photo is saved."""
    # Locked, so that whoever saves the photo at this moment does so before or after.
    saved = await tx.rows(f"SELECT saved_at FROM upload WHERE id = :id{tx.for_update}", id=upload_id)
    rule = policy.rule("upload.used")
    if saved and (saved[0]["saved_at"] is None or Exemption.saved not in rule.exemptions):
        # A photo whose deadline passed meanwhile is past saving; then there is nothing to arm.
        await deadlines.arm(tx, upload_id, rule.id, rule.due(tx.now))


async def save(tx: Transaction, *, brand_id: str, account_id: str, upload_id: str, policy: EffectivePolicy) -> None:
    """Keep the photo until its owner says otherwise, or a rule that knows no saving. Raises `NotFound`, `UploadNotReady`."""
    row = await _locked(tx, brand_id, account_id, upload_id)
    if row.state != "ready":
        raise UploadNotReady()
    if row.saved_at is not None:
        return
    for rule in _rules(policy):
        if Exemption.saved in rule.exemptions:
            await _arm(tx, upload_id, rule.id, None, asked=rule.id == "upload.saved")
    await repository.set_saved(tx, upload_id, tx.now)


async def unsave(tx: Transaction, *, brand_id: str, account_id: str, upload_id: str, policy: EffectivePolicy) -> None:
    """No longer keep the photo: the clock of `upload.saved` starts. Raises `NotFound`."""
    row = await _locked(tx, brand_id, account_id, upload_id)
    if row.saved_at is None:
        return
    await note(tx, Wish(tx.now, brand_id, account_id, UNSAVED, upload_id))
    await _arm(tx, upload_id, "upload.saved", policy.rule("upload.saved").due(tx.now), asked=True)
    await repository.set_saved(tx, upload_id, None)


@enforces("depicted.statement")
def is_stated(row: UploadRow, asked: Statement) -> bool:
    """Whether what its owner stated about the photo are words in force."""
    return row.statement_digest in wordings(asked)


async def state(tx: Transaction, *, brand_id: str, account_id: str, upload_id: str, stated: Wording) -> None:
    """The owner states anew that they may use the photo. Raises `NotFound`."""
    row = await _locked(tx, brand_id, account_id, upload_id)
    if row.statement_digest != stated.digest:
        await statements.keep(tx, stated)
        await repository.set_statement(tx, upload_id, stated.digest)


async def unsave_again(tx: Transaction, wish: Wish) -> bool:
    """After a restore: the photo is not saved, as its owner decided. Its deadline is a matter of its own. Idempotent."""
    return await repository.unsave(tx, wish.brand_id, wish.account_id, wish.about, wish.at)


async def ask_deletion(tx: Transaction, *, brand_id: str, account_id: str, upload_id: str) -> None:
    """Delete now: invisible from this commit on. Raises `NotFound`."""
    await _locked(tx, brand_id, account_id, upload_id)
    await _arm(tx, upload_id, "upload.asked", tx.now, asked=True)


def _rules(policy: EffectivePolicy) -> list[Retain]:
    """What ends a photo: our own rules, without which none may be stored, and whatever else a pack says of photos."""
    for rule_id in RULES:
        policy.rule(rule_id)
    return [rule for rule in policy.retain.values() if rule.dataset == DATASET]


def _due(rule: Retain, created_at: datetime, longest_job: timedelta) -> datetime:
    return rule.due(created_at) + (longest_job if rule.longest_job_added else timedelta(0))


async def _locked(tx: Transaction, brand_id: str, account_id: str, upload_id: str) -> UploadRow:
    row = await repository.lock(tx, brand_id, account_id, upload_id)
    if row is None:
        raise NotFound()
    return row


async def _arm(tx: Transaction, upload_id: str, rule: str, due_at: datetime | None, *, asked: bool = False) -> None:
    # The row is locked and visible, so only a deadline that falls due this very moment can refuse. A photo that is older than
    # a pack has no deadline of the pack's own rules.
    if not await deadlines.arm(tx, upload_id, rule, due_at, asked=asked) and rule in RULES:
        raise NotFound()
