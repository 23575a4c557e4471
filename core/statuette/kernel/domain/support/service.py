"""The rules of questions: who may see one, who has the word, and when its clock runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from statuette.errors import Conflict, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.support import repository
from statuette.kernel.domain.support.owner import Owner, token_hash
from statuette.kernel.domain.support.repository import AttachmentRow, EntryRow, QuestionRow, Sealed
from statuette.kernel.enforcement import deadlines
from statuette.kernel.journal.entries import Wish
from statuette.kernel.journal.notes import note
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.queues import MAIL
from statuette.policy import EffectivePolicy, Retain, Trigger, enforces

DATASET = "support"
RULES = ("support.keep", "support.asked")
QUIET = timedelta(days=90)
"""Without a word for so long, a question is closed by itself. The sentence of `support.keep` says so."""
TAKING_IN = timedelta(hours=1)
"""Far longer than storing what is attached takes; then whoever did it is gone."""
TELL = "tell_support"
CLOSED = "support.closed"
REOPENED = "support.reopened"
ASKER = "asker"
PLATFORM = "platform"


class QuestionClosed(Conflict):
    code = "question_closed"
    summary = "This question has been closed."


class QuestionNotClosed(Conflict):
    code = "question_not_closed"
    summary = "This question has not been closed."


async def open_question(
    tx: Transaction,
    *,
    question_id: str,
    brand_id: str,
    account_id: str | None,
    category: str,
    locale: str,
    sealed: Sealed,
    text: bytes,
    token: str | None,
    policy: EffectivePolicy,
    receiving: bool,
) -> None:
    """Write a question and all of its deadlines. The first byte of what is attached is stored after this is committed.

    Args:
        receiving: something is attached; `complete` follows.
    """
    row = QuestionRow(
        id=question_id,
        brand_id=brand_id,
        account_id=account_id,
        state="receiving" if receiving else "open",
        category=category,
        locale=locale,
        token_hash=token_hash(token) if token is not None else None,
        attachments=0,
        closes_at=tx.now + (TAKING_IN if receiving else QUIET),
        closed_at=None,
        created_at=tx.now,
    )
    await repository.add(tx, row, sealed)
    for rule in _rules(policy):
        await deadlines.schedule(
            tx,
            brand_id=brand_id,
            account_id=account_id,
            dataset=DATASET,
            record_id=question_id,
            rule=rule.id,
            policy_digest=policy.digest,
            due_at=rule.due(tx.now) if Trigger.created in rule.triggers else None,
        )
    await repository.add_entry(tx, brand_id=brand_id, question_id=question_id, action="asked", actor=ASKER, text=text)


async def complete(tx: Transaction, brand_id: str, question_id: str, attached: Sequence[AttachmentRow]) -> None:
    """What is attached is stored. Raises `NotFound` when the question was given up meanwhile."""
    if not await repository.make_open(tx, brand_id, question_id, attachments=len(attached), closes_at=tx.now + QUIET):
        raise NotFound()
    await repository.add_attachments(tx, brand_id, attached)


async def get(reader: Reader, brand_id: str, question_id: str, owner: Owner | None = None) -> QuestionRow:
    """Args:
        owner: who asks for it; None: an operator of the brand.

    Raises:
        NotFound.
    """
    row = await repository.get(reader, brand_id, question_id)
    if row is None or (owner is not None and not owner.owns(row)):
        raise NotFound()
    return row


async def attachment(reader: Reader, row: QuestionRow, attachment_id: str) -> AttachmentRow:
    """Raises `NotFound`."""
    for each in await repository.attachments(reader, row.id):
        if each.id == attachment_id:
            return each
    raise NotFound()


async def add(
    tx: Transaction, *, brand_id: str, question_id: str, owner: Owner, text: bytes, policy: EffectivePolicy
) -> None:
    """Whoever asked writes again; a question that was closed is open again. Raises `NotFound`."""
    row = await _locked(tx, brand_id, question_id, owner)
    await _say(tx, row, "added", ASKER, text)
    await _reopen(tx, row, policy)


async def answer(
    tx: Transaction, outbox: Outbox, *, brand_id: str, question_id: str, text: bytes, answered_by: str
) -> str:
    """Returns the entry's id. A letter brings the answer. Raises `NotFound`, `QuestionClosed`."""
    row = await _locked(tx, brand_id, question_id)
    if row.state == "closed":
        raise QuestionClosed(cure=f"Open it again first: POST /admin/v1/support/{question_id}/reopen.")
    entry_id = await _say(tx, row, "answered", answered_by, text)
    await repository.set_state(tx, row.id, "answered", closes_at=tx.now + QUIET)
    await _tell(tx, outbox, row.id, entry_id)
    return entry_id


async def close(
    tx: Transaction,
    outbox: Outbox,
    *,
    brand_id: str,
    question_id: str,
    policy: EffectivePolicy,
    owner: Owner | None = None,
    closed_by: str = ASKER,
) -> None:
    """The clock of `support.keep` starts. Closing twice is fine, and moves nothing. Raises `NotFound`."""
    row = await _locked(tx, brand_id, question_id, owner)
    if row.state == "closed":
        return
    entry_id = await _say(tx, row, "closed", closed_by, None)
    await repository.set_state(tx, row.id, "closed", closes_at=None, closed_at=tx.now)
    for rule in _of_closing(policy):
        await deadlines.arm(tx, row.id, rule.id, rule.due(tx.now), asked=True)
    await _note(tx, row, CLOSED)
    if closed_by != ASKER:
        await _tell(tx, outbox, row.id, entry_id)


async def reopen(
    tx: Transaction, *, brand_id: str, question_id: str, policy: EffectivePolicy, reopened_by: str
) -> None:
    """The clock of `support.keep` is stopped. Raises `NotFound`, `QuestionNotClosed`."""
    row = await _locked(tx, brand_id, question_id)
    if row.state != "closed":
        raise QuestionNotClosed()
    await _say(tx, row, "reopened", reopened_by, None)
    await _reopen(tx, row, policy)


async def ask_deletion(tx: Transaction, *, brand_id: str, question_id: str, owner: Owner) -> None:
    """Delete now, attachments too: invisible from this commit on. Raises `NotFound`."""
    row = await repository.lock(tx, brand_id, question_id)
    if row is None or not owner.owns(row):
        raise NotFound()
    await deadlines.arm(tx, row.id, "support.asked", tx.now, asked=True)


async def give_up(tx: Transaction, brand_id: str, question_id: str) -> None:
    """What is attached was not stored: have the question deleted. Harmless when it was, or is gone."""
    row = await repository.lock(tx, brand_id, question_id)
    if row is not None and row.state == "receiving":
        await deadlines.arm(tx, row.id, "support.asked", tx.now)


async def quiet(reader: Reader, limit: int) -> list[QuestionRow]:
    """Questions that `let_go` is due for."""
    return await repository.quiet(reader, limit)


@enforces("support.keep")
async def let_go(tx: Transaction, outbox: Outbox, row: QuestionRow, policy: EffectivePolicy) -> None:
    """Close a question in which nobody writes any more, and give up one that was never taken in."""
    now = await repository.lock(tx, row.brand_id, row.id)
    if now is None or now.closes_at is None or now.closes_at > tx.now:
        return
    if now.state == "receiving":
        await give_up(tx, now.brand_id, now.id)
        return
    await close(tx, outbox, brand_id=now.brand_id, question_id=now.id, policy=policy, closed_by=PLATFORM)


async def to_tell(reader: Reader, question_id: str, entry_id: str) -> tuple[QuestionRow, Sealed, EntryRow] | None:
    """What a letter about a step is made of; None once the question is gone."""
    row = await repository.by_id(reader, question_id)
    sealed = await repository.sealed(reader, question_id)
    entry = await repository.entry(reader, question_id, entry_id)
    return (row, sealed, entry) if row is not None and sealed is not None and entry is not None else None


async def brand_of(reader: Reader, question_id: str) -> str | None:
    row = await repository.by_id(reader, question_id)
    return row.brand_id if row is not None else None


async def settle_again(tx: Transaction, wish: Wish) -> bool:
    """After a restore: the question is closed, or open again, as it was. Its deadline is a matter of its own. Idempotent."""
    row = await repository.lock(tx, wish.brand_id, wish.about)
    if row is None or row.state == "receiving" or await repository.any_after(tx, row.id, wish.at):
        return False
    if wish.topic == CLOSED and row.state != "closed":
        await repository.set_state(tx, row.id, "closed", closes_at=None, closed_at=wish.at)
        return True
    if wish.topic == REOPENED and row.state == "closed":
        await repository.set_state(tx, row.id, "open", closes_at=wish.at + QUIET)
        return True
    return False


def _rules(policy: EffectivePolicy) -> list[Retain]:
    """What ends a question: our own rules, without which none may be taken in, and whatever else a pack says of questions."""
    for rule_id in RULES:
        policy.rule(rule_id)
    return [rule for rule in policy.retain.values() if rule.dataset == DATASET]


def _of_closing(policy: EffectivePolicy) -> Iterator[Retain]:
    return (rule for rule in _rules(policy) if Trigger.closed in rule.triggers)


async def _locked(tx: Transaction, brand_id: str, question_id: str, owner: Owner | None = None) -> QuestionRow:
    row = await repository.lock(tx, brand_id, question_id)
    if row is None or row.state == "receiving" or (owner is not None and not owner.owns(row)):
        raise NotFound()
    return row


async def _say(tx: Transaction, row: QuestionRow, action: str, actor: str, text: bytes | None) -> str:
    return await repository.add_entry(
        tx, brand_id=row.brand_id, question_id=row.id, action=action, actor=actor, text=text
    )


async def _reopen(tx: Transaction, row: QuestionRow, policy: EffectivePolicy) -> None:
    if row.state == "closed":
        for rule in _of_closing(policy):
            await deadlines.arm(tx, row.id, rule.id, None, asked=True)
        await _note(tx, row, REOPENED)
    await repository.set_state(tx, row.id, "open", closes_at=tx.now + QUIET)


async def _note(tx: Transaction, row: QuestionRow, topic: str) -> None:
    await note(tx, Wish(tx.now, row.brand_id, row.account_id or "", topic, row.id))


async def _tell(tx: Transaction, outbox: Outbox, question_id: str, entry_id: str) -> None:
    await outbox.put(tx, queue=MAIL, actor=TELL, subject_id=f"{question_id}.{entry_id}")
