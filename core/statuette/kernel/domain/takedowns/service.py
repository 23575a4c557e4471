"""The rules of takedowns: hidden at once, decided in time, and whoever's picture it is has a say before it goes for good."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Literal

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.errors import Conflict, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.takedowns import repository
from statuette.kernel.domain.takedowns.repository import CaseRow, Sealed
from statuette.kernel.enforcement import deadlines, hiding
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.queues import MAIL
from statuette.policy import EffectivePolicy

RULE = "depicted.takedown"
TIME_TO_APPEAL = timedelta(days=7)
REPEATED = 2
"""Cases with a deleted picture after which an account is flagged."""
TELL = "tell_takedown"
REQUESTER = "requester"
Verdict = Literal["keep", "delete"]
_DELETED_BY = {"figurines": "figurine.keep", "uploads": "upload.asked"}


class CaseClosed(Conflict):
    code = "takedown_closed"
    summary = "This case has been decided for good."


class Named(msgspec.Struct, frozen=True):
    """What a request names: a record, or bytes by their SHA-256 in hex."""

    record_id: str | None
    digest: str | None


class Requester(msgspec.Struct, frozen=True):
    """Whoever asked. The address stays sealed, with the key `sealing_key`, until a letter is written."""

    sealed_contact: bytes
    locale: str


def sealing_key(brand_id: str) -> str:
    """The subject whose data key seals what is written to a brand by people without an account."""
    return f"takedowns.{brand_id}"


async def open_case(
    tx: Transaction,
    outbox: Outbox,
    *,
    case_id: str,
    brand_id: str,
    named: Named,
    reason: str,
    sealed: Sealed,
    token: str,
    policy: EffectivePolicy,
) -> CaseRow:
    """Open a case, and hide what it names with every identical copy. What an earlier case let stay is listed, not hidden."""
    within = policy.rights[RULE].within
    await repository.add(
        tx,
        case_id=case_id,
        brand_id=brand_id,
        reason=reason,
        sealed=sealed,
        token_hash=token_hash(token),
        decide_by=within.due(tx.now),
    )
    digest = named.digest
    if named.record_id is not None:
        digest = await repository.digest_of(tx, brand_id, named.record_id)
    for copy in await repository.copies(tx, brand_id, digest) if digest else ():
        settled = "kept" in await repository.outcomes_of(tx, copy.record_id)
        if not settled:
            await hiding.hide(
                tx,
                brand_id=brand_id,
                account_id=copy.account_id,
                dataset=copy.dataset,
                record_id=copy.record_id,
                rule=RULE,
                policy_digest=policy.digest,
            )
        outcome = "listed" if settled else "hidden"
        await repository.add_picture(tx, brand_id=brand_id, case_id=case_id, copy=copy, outcome=outcome)
    await _tell_owners(tx, outbox, case_id, "hidden")
    return await get(tx, brand_id, case_id)


async def by_id(reader: Reader, case_id: str) -> CaseRow | None:
    return await repository.by_id(reader, case_id)


async def requester(reader: Reader, case_id: str) -> Requester | None:
    sealed = await repository.sealed(reader, case_id)
    return Requester(sealed.contact, sealed.locale) if sealed is not None else None


async def get(reader: Reader, brand_id: str, case_id: str) -> CaseRow:
    """Raises `NotFound`."""
    row = await repository.get(reader, brand_id, case_id)
    if row is None:
        raise NotFound()
    return row


async def of_token(reader: Reader, brand_id: str, case_id: str, token: str) -> CaseRow:
    """The case, for whoever opened it. Raises `NotFound`."""
    row = await get(reader, brand_id, case_id)
    if row.token_hash != token_hash(token):
        raise NotFound()
    return row


async def decide(
    tx: Transaction, outbox: Outbox, *, brand_id: str, case_id: str, verdict: Verdict, decided_by: str
) -> CaseRow:
    """Decide a case. To delete waits for an appeal, unless there was one: then it is final.

    Raises:
        NotFound, CaseClosed.
    """
    case = await _locked(tx, brand_id, case_id, ("open", "appealed"))
    if verdict == "keep":
        await _keep(tx, case)
        await repository.set_state(tx, case.id, "kept", next_at=None, decided_by=decided_by)
    elif case.state == "appealed":
        await _delete(tx, case)
        await repository.set_state(tx, case.id, "deleted", next_at=None, decided_by=decided_by)
    else:
        await repository.set_state(tx, case.id, "deleting", next_at=tx.now + TIME_TO_APPEAL, decided_by=decided_by)
        for picture in await repository.pictures(tx, case.id):
            if picture.outcome == "listed":  # let stay by an earlier case, and not by this one
                await hiding.hide(
                    tx,
                    brand_id=brand_id,
                    account_id=picture.account_id,
                    dataset=picture.dataset,
                    record_id=picture.record_id,
                    rule=RULE,
                    policy_digest="",
                )
                await repository.set_outcome(tx, picture.id, "hidden")
    decided = await get(tx, brand_id, case_id)
    await _tell(tx, outbox, decided)
    return decided


async def appeal(
    tx: Transaction, *, brand_id: str, account_id: str, case_id: str, sealed: bytes, policy: EffectivePolicy
) -> None:
    """The owner of a picture says why it should stay. A case that was decided is decided once more, in the same time.

    Raises:
        NotFound: no picture of theirs is in it. CaseClosed.
    """
    mine = [each for each in await repository.pictures(tx, case_id) if each.account_id == account_id]
    if not mine:
        raise NotFound()
    case = await _locked(tx, brand_id, case_id, ("open", "deleting", "appealed"))
    for picture in mine:
        await repository.set_appeal(tx, picture.id, sealed)
    if case.state == "deleting":
        await repository.appeal_case(tx, case.id, policy.rights[RULE].within.due(tx.now))


async def look(tx: Transaction, outbox: Outbox, case_id: str, brand_id: str) -> None:
    """A case whose moment has come: nobody decided in time, or nobody appealed."""
    case = await repository.lock(tx, brand_id, case_id)
    if case is None or case.next_at is None or case.next_at > tx.now:
        return
    if case.state == "deleting":
        await _delete(tx, case)
        await repository.set_state(tx, case.id, "deleted", next_at=None, decided_by=case.decided_by)
        await _tell(tx, outbox, await get(tx, brand_id, case_id))
        return
    await repository.set_next(tx, case.id, None)
    await findings.raise_finding(tx, code="takedown_overdue", subject=case.id, brand_id=brand_id)


async def erase_account(tx: AnyTransaction, account_id: str) -> None:
    """Delete what cases say of an account's pictures. Idempotent."""
    await repository.delete_of_account(tx, account_id)


def token_hash(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


async def _locked(tx: Transaction, brand_id: str, case_id: str, states: tuple[str, ...]) -> CaseRow:
    case = await repository.lock(tx, brand_id, case_id)
    if case is None:
        raise NotFound()
    if case.state not in states:
        raise CaseClosed()
    return case


async def _tell(tx: Transaction, outbox: Outbox, case: CaseRow) -> None:
    """Have letters say what the case has come to."""
    await outbox.put(tx, queue=MAIL, actor=TELL, subject_id=f"{case.id}.{case.state}.{REQUESTER}")
    await _tell_owners(tx, outbox, case.id, case.state)


async def _tell_owners(tx: Transaction, outbox: Outbox, case_id: str, event: str) -> None:
    pictures = await repository.pictures(tx, case_id)
    for account_id in sorted({each.account_id for each in pictures if each.outcome != "listed"}):
        await outbox.put(tx, queue=MAIL, actor=TELL, subject_id=f"{case_id}.{event}.{account_id}")


async def _keep(tx: Transaction, case: CaseRow) -> None:
    for picture in await repository.pictures(tx, case.id):
        await repository.set_outcome(tx, picture.id, "kept")
        if "hidden" not in await repository.outcomes_of(tx, picture.record_id):  # no other case is undecided
            await hiding.show(tx, picture.record_id, RULE)


async def _delete(tx: Transaction, case: CaseRow) -> None:
    """Have the pictures deleted by the ordinary way, which a legal hold stops. They stay hidden meanwhile."""
    accounts: set[str] = set()
    for picture in await repository.pictures(tx, case.id):
        await repository.set_outcome(tx, picture.id, "deleted")
        await deadlines.arm(tx, picture.record_id, _DELETED_BY[picture.dataset], tx.now, asked=True)
        accounts.add(picture.account_id)
    for account_id in sorted(accounts):
        if await repository.deleted_of_account(tx, account_id) >= REPEATED:
            await findings.raise_finding(tx, code="repeat_uploader", subject=account_id, brand_id=case.brand_id)
