"""Publishing: the act by which a version of a policy takes effect for a brand. Works in an open transaction, never commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from statuette.errors import Conflict, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.notices import repository
from statuette.kernel.domain.notices.repository import NoticeRow, VersionRow
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.queues import MAIL
from statuette.policy import Publication, enforces
from statuette.policy.diff import ChangeClass, Comparison, Difference, compare
from statuette.policy.document import PolicyDocument
from statuette.policy.notice import Notice

ANNOUNCE = "announce_policy"
TELL_CHANGE = "tell_policy_change"
PLATFORM = "platform"
"""Who approved a first version that nobody had to be asked about."""


class NothingToPublish(Conflict):
    code = "nothing_to_publish"
    summary = "What is published already is what is in force."


class PublishedMeanwhile(Conflict):
    """Somebody else published a version since the one that this was compared with. Look at the difference again."""

    code = "published_meanwhile"
    retryable = True
    summary = "Another version has been published just now."


class Pending(msgspec.Struct, frozen=True):
    """What publishing would do now. `since` is the version compared with."""

    document: PolicyDocument
    since: VersionRow | None
    comparison: Comparison

    @property
    def needed(self) -> bool:
        return self.since is None or self.since.digest != self.document.digest()


async def pending(reader: Reader, brand_id: str, new: PolicyDocument) -> Pending:
    """Compare what is in force in this process with what was published last."""
    since = await repository.latest(reader, brand_id)
    old = None
    if since is not None:
        old = msgspec.json.decode(await repository.body(reader, since.id), type=PolicyDocument)
    return Pending(new, since, compare(old, new))


async def document_of(reader: Reader, brand_id: str, number: int | None) -> PolicyDocument:
    """What was published under a number, or last. Raises `NotFound`."""
    row = await repository.latest(reader, brand_id) if number is None else await version(reader, brand_id, number)
    if row is None:
        raise NotFound("Nothing has been published.", cure="`statuette policy publish` does it.")
    return msgspec.json.decode(await repository.body(reader, row.id), type=PolicyDocument)


async def publish(
    tx: Transaction,
    outbox: Outbox,
    *,
    brand_id: str,
    new: PolicyDocument,
    notices: Mapping[str, Notice],
    approved_by: str,
    effective_at: datetime | None = None,
) -> VersionRow:
    """Post a version, and have every account told of it unless it is the first.

    Raises:
        NothingToPublish, PublishedMeanwhile.
    """
    found = await pending(tx, brand_id, new)
    if not found.needed:
        raise NothingToPublish()
    number = 1 if found.since is None else found.since.number + 1
    comparison = found.comparison
    first = comparison.change is ChangeClass.initial
    row = VersionRow(
        id=f"{brand_id}.{number}",
        brand_id=brand_id,
        number=number,
        digest=new.digest(),
        change=comparison.change.value,
        asks=msgspec.json.encode(comparison.asks).decode(),
        receivers=msgspec.json.encode(new.receivers()).decode(),
        approved_by=approved_by,
        published_at=tx.now,
        effective_at=max(tx.now, effective_at or tx.now),
        announced_at=tx.now if first else None,
    )
    if not await repository.add(
        tx,
        row,
        body=new.canonical(),
        notices=msgspec.json.encode(notices).decode(),
        changes=msgspec.json.encode(comparison.differences).decode(),
    ):
        raise PublishedMeanwhile()
    if not first:
        await outbox.put(tx, queue=MAIL, actor=ANNOUNCE, subject_id=row.id)
    return row


async def publications(reader: Reader) -> dict[str, Publication]:
    """What is in force by publication, by brand."""
    found: dict[str, Publication] = {}
    asked: dict[str, dict[str, datetime]] = {}
    for row in await repository.all_versions(reader):
        if row.effective_at > reader.now:
            continue
        since = asked.setdefault(row.brand_id, {})
        since |= dict.fromkeys(row.asked(), row.effective_at)
        found[row.brand_id] = Publication(
            number=row.number,
            digest=row.digest,
            receivers=msgspec.json.decode(row.receivers, type=dict[str, tuple[str, ...]]),
            asked_since=dict(since),
        )
    return found


async def version(reader: Reader, brand_id: str, number: int) -> VersionRow:
    """Raises `NotFound`."""
    row = await repository.by_id(reader, f"{brand_id}.{number}")
    if row is None:
        raise NotFound("There is no such version.")
    return row


async def before(reader: Reader, row: VersionRow) -> VersionRow | None:
    """The version before; None for the first."""
    return await repository.by_id(reader, f"{row.brand_id}.{row.number - 1}")


async def version_by_id(reader: Reader, version_id: str) -> VersionRow | None:
    return await repository.by_id(reader, version_id)


async def versions(reader: Reader, brand_id: str, *, before: int, limit: int) -> list[VersionRow]:
    """Newest first."""
    return await repository.page(reader, brand_id, before=before, limit=limit)


async def notices_of(reader: Reader, version_id: str) -> dict[str, Notice]:
    """What people read, by locale."""
    return msgspec.json.decode(await repository.notices(reader, version_id), type=dict[str, Notice])


@enforces("notify.collection")
async def in_force(reader: Reader, brand_id: str) -> VersionRow:
    """The version that holds now. Raises `NotFound` where nothing has been published yet."""
    row = await repository.in_force(reader, brand_id)
    if row is None:
        raise NotFound("Nothing has been published yet.")
    return row


async def between(reader: Reader, old: VersionRow, new: VersionRow) -> Comparison:
    """What has changed from one version to another."""
    bodies = [await repository.body(reader, row.id) for row in (old, new)]
    earlier, later = (msgspec.json.decode(body, type=PolicyDocument) for body in bodies)
    return compare(earlier, later)


async def differences_of(reader: Reader, version_id: str) -> tuple[Difference, ...]:
    """What a version changed."""
    return msgspec.json.decode(await repository.changes(reader, version_id), type=tuple[Difference, ...])


async def letters_of(reader: Reader, version_id: str) -> dict[str, int]:
    """How many letters about a version are in which state."""
    return await repository.counts(reader, version_id)


async def waiting(reader: Reader, version_id: str, most: int) -> int:
    """How many letters of a version wait, up to `most`."""
    return await repository.queued(reader, version_id, most)


async def announced_upto(tx: Transaction, version_id: str) -> str:
    """The account that the announcement has come to; nobody else goes on with it until the transaction ends."""
    return await repository.lock_announced(tx, version_id)


async def announce(
    tx: Transaction, outbox: Outbox, version: VersionRow, account_ids: Sequence[str], *, last: bool
) -> None:
    """Have a letter sent to each of these accounts, and note how far the announcement has come, all or nothing."""
    for account_id in account_ids:
        notice_id = await repository.add_notice(tx, version=version, account_id=account_id)
        if notice_id is not None:
            await outbox.put(tx, queue=MAIL, actor=TELL_CHANGE, subject_id=notice_id)
    upto = account_ids[-1] if account_ids else await repository.lock_announced(tx, version.id)
    await repository.set_announced(tx, version.id, upto, tx.now if last else None)


async def letter(reader: Reader, notice_id: str) -> NoticeRow | None:
    return await repository.notice(reader, notice_id)


async def end_letter(tx: Transaction, notice_id: str, state: str) -> None:
    """Record what became of a letter: `sent`, `refused`, `not_sent` or `nobody`. Once."""
    await repository.end_notice(tx, notice_id, state)
