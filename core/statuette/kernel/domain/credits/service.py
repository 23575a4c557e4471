"""The rules of the ledger.

A movement of credits is one transfer with two entries, made once by its key. The wallet's row is locked before lots or
balance are looked at, so two transactions on one wallet take turns; each locks one wallet, except for `expire_due`, which
locks them in a fixed order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal

import msgspec

from statuette.errors import InvalidInput, NotFound
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.credits import erasure, lots, repository
from statuette.kernel.domain.credits.errors import DebtOutstanding, HoldClosed, LedgerBroken, TransferKeyReused
from statuette.kernel.domain.credits.postings import TransferKind
from statuette.kernel.domain.credits.repository import HoldRow, TransferRow, WalletRow
from statuette.kernel.domain.credits.views import Balance, Expiring, HoldView, TransferView
from statuette.kernel.enforcement import deadlines
from statuette.policy import EffectivePolicy

DATASET = "credits"
KEEP = "ledger.keep"
_LONGEST_PLAIN_KEY = 80
_LONGEST_REFERENCE = 100


async def open_wallet(tx: Transaction, brand_id: str, account_id: str) -> None:
    """Give an account a wallet. Idempotent. Raises `NotFound` when the account is another brand's."""
    if not await repository.add_wallet(tx, brand_id, account_id):
        await _require_wallet(tx, brand_id, account_id)


async def grant(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    amount: int,
    key: str,
    actor: str,
    expires_at: datetime | None = None,
    kind: Literal["granted", "purchased", "returned"] = "granted",
    cause: str | None = None,
) -> TransferView:
    """Give credits, as a lot of their own. Who asks is not part of the content: the same key from another actor is a replay.

    What is owed is paid with them first.

    Args:
        amount: at least 1.
        key: unique within the brand, for ever, among grants.
        expires_at: None for credits that last; else later than now, unless the grant was made already.
        cause: the payment or refund behind it.

    Raises:
        TransferKeyReused: the key made another grant.
        NotFound: there is no such wallet.
    """
    _require(amount >= 1, "A grant is of at least one credit.")
    transfer_key = _scoped("grant", key)
    await _lock(tx, brand_id, account_id)
    if (made := await repository.transfer_by_key(tx, brand_id, transfer_key)) is not None:
        if (made.account_id, made.kind, made.amount, made.expires_at) != (account_id, kind, amount, expires_at):
            raise TransferKeyReused()
        return _transfer_view(made)
    _require(expires_at is None or expires_at > tx.now, "Credits cannot expire before they are given.")
    return await _bring_in(tx, brand_id, account_id, transfer_key, TransferKind(kind), amount, actor, expires_at, cause)


async def adjust(tx: Transaction, *, brand_id: str, account_id: str, amount: int, key: str, actor: str) -> TransferView:
    """Correct a balance by hand: add a lot that lasts, or take from what is available, earliest expiry first.

    Args:
        amount: not 0; negative takes away.
        key: unique within the brand, for ever, among adjustments.

    Raises:
        InsufficientCredits: less than that is available. Nothing is taken.
        TransferKeyReused, NotFound: as for `grant`.
    """
    _require(amount != 0, "An adjustment changes something.")
    transfer_key = _scoped("adjust", key)
    await _lock(tx, brand_id, account_id)
    if (made := await repository.transfer_by_key(tx, brand_id, transfer_key)) is not None:
        if (made.account_id, made.amount) != (account_id, amount):
            raise TransferKeyReused()
        return _transfer_view(made)
    if amount > 0:
        return await _bring_in(tx, brand_id, account_id, transfer_key, TransferKind.adjusted, amount, actor, None)
    found = await lots.usable(tx, brand_id, account_id, tx.now)
    transfer_id = await _transfer(
        tx, brand_id, account_id, transfer_key, TransferKind.adjusted, amount, actor=actor, reference=None
    )
    await lots.take(tx, found, -amount, transfer_id)
    await _move_balance(tx, brand_id, account_id, available=amount)
    return await _made(tx, brand_id, transfer_key)


async def take_back(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    amount: int,
    key: str,
    actor: str,
    cause: str | None = None,
    of: str | None = None,
) -> TransferView:
    """Take credits back whose price was given back. What has been spent of them already becomes a debt.

    Args:
        amount: at least 1.
        key: unique within the brand, for ever, among those that take back.
        cause: the refund or dispute behind it.
        of: the key of the grant that brought them: what is left of it goes first, then earliest expiry first.

    Raises:
        TransferKeyReused, NotFound: as for `grant`.
    """
    _require(amount >= 1, "At least one credit is taken back.")
    transfer_key = _scoped("refund", key)
    await _lock(tx, brand_id, account_id)
    if (made := await repository.transfer_by_key(tx, brand_id, transfer_key)) is not None:
        if (made.account_id, made.amount) != (account_id, amount):
            raise TransferKeyReused()
        return _transfer_view(made)
    grant_made = None if of is None else await repository.transfer_by_key(tx, brand_id, _scoped("grant", of))
    transfer_id = await _transfer(
        tx, brand_id, account_id, transfer_key, TransferKind.refunded, amount, actor=actor, reference=None, cause=cause
    )
    wallet = await _move_balance(tx, brand_id, account_id, debt=amount)
    await _repay(tx, brand_id, account_id, wallet, transfer_id, cause, lot=grant_made.reference if grant_made else None)
    return await _made(tx, brand_id, transfer_key)


async def hold(tx: Transaction, *, brand_id: str, account_id: str, reference: str, amount: int) -> HoldView:
    """Set credits aside for a job. Idempotent by reference; a replay finds the hold in whatever state it is by then.

    Args:
        reference: the job's id, unique everywhere.
        amount: 0 or more; a hold of nothing moves nothing.

    Raises:
        InsufficientCredits: the wallet has less than that which has not expired.
        DebtOutstanding: the account owes credits.
        TransferKeyReused: the reference holds another amount, or for somebody else.
        NotFound: there is no such wallet.
    """
    _require(amount >= 0, "A hold is of no fewer than zero credits.")
    _require(0 < len(reference) <= _LONGEST_REFERENCE, "A reference has 1 to 100 characters.")
    wallet = await _lock(tx, brand_id, account_id)
    if (made := await repository.hold_by_reference(tx, reference)) is not None:
        if (made.brand_id, made.account_id, made.amount) != (brand_id, account_id, amount):
            raise TransferKeyReused()
        return _hold_view(made)
    if wallet.debt:
        raise DebtOutstanding(cure="Buy credits: what is owed is paid with them first.", debt=wallet.debt)
    found = await lots.usable(tx, brand_id, account_id, tx.now)
    hold_id = tx.new_id("hld")
    if not await repository.add_hold(
        tx, hold_id, brand_id=brand_id, account_id=account_id, reference=reference, amount=amount
    ):
        raise TransferKeyReused()  # taken a moment ago, by a transaction on another wallet
    if amount:
        await lots.take(tx, found, amount, hold_id)
        await _move_balance(tx, brand_id, account_id, available=-amount, held=amount)
        await _transfer(tx, brand_id, account_id, f"hold:{reference}", TransferKind.held, amount, reference=reference)
    return HoldView(hold_id, account_id, reference, amount, 0, "open", tx.now, None)


async def capture(tx: Transaction, *, brand_id: str, reference: str, amount: int) -> HoldView:
    """Charge `amount` of what is held, give the rest back, and close the hold. Idempotent.

    Raises:
        InvalidInput: more than is held, or less than nothing.
        HoldClosed: it was settled with another amount.
        NotFound: this brand has no such hold.
    """
    return await _settle(tx, brand_id, reference, amount, "captured")


async def release(tx: Transaction, *, brand_id: str, reference: str) -> HoldView:
    """Give back all that is held and close the hold. Idempotent. Raises `HoldClosed` if some was captured, `NotFound`."""
    return await _settle(tx, brand_id, reference, 0, "released")


async def expire_due(tx: Transaction, now: datetime, limit: int) -> int:
    """End lots whose time has come; returns how many. The scheduler's job, of every brand.

    Args:
        limit: so many lots are looked for; other due lots of the same wallets go along.
    """
    ended = 0
    # In order of id, so that two of these cannot wait for each other.
    for owner in sorted(await repository.owners_of_due_lots(tx, now, limit)):
        if await repository.lock_wallet(tx, owner.brand_id, owner.account_id) is not None:
            ended += await lots.expire_due(tx, owner.brand_id, owner.account_id, now)
    return ended


async def balance(reader: Reader, brand_id: str, account_id: str) -> Balance:
    """What the account has now. Raises `NotFound`."""
    rows = await repository.expiring(reader, brand_id, account_id)
    if not rows:
        raise NotFound()
    overdue = sum(row.remaining for row in rows if row.expires_at is not None and row.expires_at <= reader.now)
    return Balance(
        available=rows[0].available - overdue,
        held=rows[0].held,
        expiring=tuple(
            Expiring(row.remaining, row.expires_at)
            for row in rows
            if row.expires_at is not None and row.expires_at > reader.now
        ),
        debt=rows[0].debt,
    )


async def history(
    reader: Reader, brand_id: str, account_id: str, *, before: str | None = None, limit: int
) -> list[TransferView]:
    """Movements, newest first; those older than the transfer `before`, if given."""
    return [
        _transfer_view(row)
        for row in await repository.transfers(reader, brand_id, account_id, before=before, limit=limit)
    ]


async def end_account(
    tx: Transaction, account_id: str, pseudonym: str, policy_of: Callable[[str], Awaitable[EffectivePolicy]]
) -> int:
    """The account ends, and with it its credits. Books about money are kept under the pseudonym; all else is deleted.

    Args:
        policy_of: the policy in force for a brand.

    Returns:
        1 if there was anything left to do, else 0.
    """
    brand_id = await erasure.brand_of(tx, account_id)
    if brand_id is None:
        return 0
    await _lock(tx, brand_id, account_id)
    if await erasure.has_open_hold(tx, account_id):
        return 1  # until its job has ended
    if not await erasure.has_purchases(tx, account_id):
        await erasure.erase(tx, account_id)
        return 1
    await lots.end_all(tx, brand_id, account_id)
    await erasure.pseudonymise(tx, account_id, pseudonym)
    policy = await policy_of(brand_id)
    await deadlines.schedule(
        tx,
        brand_id=brand_id,
        account_id=pseudonym,
        dataset=DATASET,
        record_id=pseudonym,
        rule=KEEP,
        policy_digest=policy.digest,
        due_at=policy.rule(KEEP).due(tx.now),
    )
    return 1


async def was_welcomed(reader: Reader, brand_id: str, account_id: str) -> bool:
    """Whether the account got the credits that a brand starts everybody with."""
    key = _scoped("grant", welcome_key(account_id))
    return await repository.transfer_by_key(reader, brand_id, key) is not None


def welcome_key(account_id: str) -> str:
    """The key of the grant that a new account begins with."""
    return f"signup:{account_id}"


async def _settle(tx: Transaction, brand_id: str, reference: str, captured: int, state: str) -> HoldView:
    found = await _require_hold(tx, brand_id, reference)
    await _lock(tx, brand_id, found.account_id)
    # Again, now that nobody else can close it.
    found = await _require_hold(tx, brand_id, reference)
    if found.state != "open":
        if found.captured != captured:
            raise HoldClosed(state=found.state, captured=found.captured)
        return _hold_view(found)
    _require(0 <= captured <= found.amount, "No more than what is held can be captured.")
    rest = found.amount - captured
    if captured:
        await _transfer(
            tx, brand_id, found.account_id, f"capture:{reference}", TransferKind.captured, captured, reference=reference
        )
    released = None
    if rest:
        released = await _transfer(
            tx, brand_id, found.account_id, f"release:{reference}", TransferKind.released, rest, reference=reference
        )
        await lots.give_back(tx, rest, found.id)
    wallet = await _move_balance(tx, brand_id, found.account_id, available=rest, held=-found.amount)
    if released is not None:
        await _repay(tx, brand_id, found.account_id, wallet, released, None)
    await repository.close_hold(tx, found.id, state=state, captured=captured)
    return _hold_view(msgspec.structs.replace(found, state=state, captured=captured, closed_at=tx.now))


async def _bring_in(
    tx: Transaction,
    brand_id: str,
    account_id: str,
    transfer_key: str,
    kind: TransferKind,
    amount: int,
    actor: str,
    expires_at: datetime | None,
    cause: str | None = None,
) -> TransferView:
    lot_id = tx.new_id("lot")
    transfer_id = await _transfer(
        tx, brand_id, account_id, transfer_key, kind, amount, actor=actor, reference=lot_id, cause=cause
    )
    await repository.add_lot(
        tx, lot_id, brand_id=brand_id, account_id=account_id, kind=kind, amount=amount, expires_at=expires_at
    )
    wallet = await _move_balance(tx, brand_id, account_id, available=amount)
    await _repay(tx, brand_id, account_id, wallet, transfer_id, cause)
    return await _made(tx, brand_id, transfer_key)


async def _repay(
    tx: Transaction,
    brand_id: str,
    account_id: str,
    wallet: WalletRow,
    by: str,
    cause: str | None,
    *,
    lot: str | None = None,
) -> None:
    """Pay what is owed with what may be spent, after the transfer `by` changed either."""
    if not wallet.debt:
        return
    found = await lots.usable(tx, brand_id, account_id, tx.now)
    amount = min(wallet.debt, sum(item.remaining for item in found))
    if not amount:
        return
    transfer_id = await _transfer(
        tx, brand_id, account_id, f"repay:{by}", TransferKind.repaid, amount, reference=by, cause=cause
    )
    await lots.take(tx, sorted(found, key=lambda item: item.id != lot), amount, transfer_id)
    await _move_balance(tx, brand_id, account_id, available=-amount, debt=-amount)


async def _transfer(
    tx: Transaction,
    brand_id: str,
    account_id: str,
    key: str,
    kind: TransferKind,
    amount: int,
    *,
    reference: str | None,
    actor: str = lots.SYSTEM,
    cause: str | None = None,
) -> str:
    made = await repository.add_transfer(
        tx,
        brand_id=brand_id,
        account_id=account_id,
        key=key,
        kind=kind,
        amount=amount,
        actor=actor,
        reference=reference,
        cause=cause,
    )
    if made is None:
        raise TransferKeyReused()  # a moment ago, by a transaction on another wallet
    return made


async def _made(reader: Reader, brand_id: str, transfer_key: str) -> TransferView:
    row = await repository.transfer_by_key(reader, brand_id, transfer_key)
    assert row is not None, "the transfer was inserted by this transaction"
    return _transfer_view(row)


async def _move_balance(
    tx: Transaction, brand_id: str, account_id: str, *, available: int = 0, held: int = 0, debt: int = 0
) -> WalletRow:
    """The condition on the wallet's row is the last word: whatever the lots say, a balance never goes below zero."""
    moved = await repository.move_balance(tx, brand_id, account_id, available=available, held=held, debt=debt)
    if moved is None:
        raise LedgerBroken(cure="Run `statuette ledger verify`.")
    return moved


async def _lock(tx: Transaction, brand_id: str, account_id: str) -> WalletRow:
    wallet = await repository.lock_wallet(tx, brand_id, account_id)
    if wallet is None:
        raise NotFound()
    return wallet


async def _require_wallet(reader: Reader, brand_id: str, account_id: str) -> None:
    if not await repository.wallet_is_of(reader, brand_id, account_id):
        raise NotFound()


async def _require_hold(reader: Reader, brand_id: str, reference: str) -> HoldRow:
    found = await repository.hold_by_reference(reader, reference)
    if found is None or found.brand_id != brand_id:
        raise NotFound()
    return found


def _scoped(operation: str, key: str) -> str:
    """The key of a transfer. What a caller chooses can be of any length and never meets the keys of holds or expiries."""
    _require(bool(key), "A movement of credits has a key.")
    if len(key) > _LONGEST_PLAIN_KEY or key.startswith("sha256:"):
        key = f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    return f"{operation}:{key}"


def _require(condition: bool, detail: str) -> None:
    if not condition:
        raise InvalidInput(detail)


def _view_fields(row: msgspec.Struct, view: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in view.__struct_fields__}


def _transfer_view(row: TransferRow) -> TransferView:
    return TransferView(**_view_fields(row, TransferView))


def _hold_view(row: HoldRow) -> HoldView:
    return HoldView(**_view_fields(row, HoldView))
