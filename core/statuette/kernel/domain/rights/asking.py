"""What people do about requests, and what goes on by itself: asking, closing an account, taking back, ending, warning."""

from __future__ import annotations

from datetime import datetime, timedelta

from statuette.errors import NotFound
from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.consent import stops
from statuette.kernel.domain.consent.stops import EVERY_PURPOSE, StopReason
from statuette.kernel.domain.generations.service import Generations
from statuette.kernel.domain.rights import repository
from statuette.kernel.domain.rights.repository import RequestRow
from statuette.kernel.domain.rights.service import Answers, Kind, RequestIsOpen, RequestIsOver, Sealed, State
from statuette.kernel.enforcement import deadlines
from statuette.kernel.enforcement.cascade import Cascade
from statuette.kernel.evidence import holders
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Outbox
from statuette.policy import enforces

ERASE = "account.erase"
WARNED_AT_ONCE = 100
_WARNED_BEFORE = timedelta(days=7)


class Requests(Answers):
    """Every step of requests. Works in an open transaction and never commits."""

    def __init__(self, outbox: Outbox, cascade: Cascade, generations: Generations) -> None:
        super().__init__(outbox)
        self._cascade = cascade
        self._generations = generations

    async def ask(
        self,
        tx: Transaction,
        brand: LoadedBrand,
        account_id: str,
        *,
        request_id: str,
        kind: Kind,
        state: State,
        subject: str | None = None,
        sealed: Sealed = Sealed(),  # noqa: B008 - frozen
        holder: str | None = None,
        effective_at: datetime | None = None,
    ) -> RequestRow:
        """Write a request down. Raises `RequestIsOpen`."""
        await repository.lock_account(tx, account_id)
        if (before := await repository.open_of_kind(tx, brand.id, account_id, kind.value, subject)) is not None:
            raise RequestIsOpen(open_request=before)
        row = RequestRow(
            id=request_id,
            brand_id=brand.id,
            account_id=account_id,
            kind=kind.value,
            state=state.value,
            subject=subject,
            reason=None,
            holder=holder,
            policy_digest=brand.policy.digest,
            asked_at=tx.now,
            due_at=brand.policy.rights[f"right.{kind.value}"].within.due(tx.now),
            effective_at=effective_at,
            closed_at=tx.now if state is State.completed else None,
            warned=None,
        )
        await repository.add(tx, row, statement=sealed.statement, contact=sealed.contact)
        await self._note(tx, row, "asked", account_id, tell=state is not State.completed)
        if state is State.completed:
            await self._note(tx, row, "completed", "platform")
        return row

    @enforces("right.erasure")
    async def close_account(
        self, tx: Transaction, brand: LoadedBrand, account_id: str, *, request_id: str, due_at: datetime, token: str
    ) -> str:
        """Have the account and all that is of it go at `due_at`, and take on nothing new; returns what finds the receipt.

        Raises:
            NotFound: it is past its erasure date.
        """
        if not await deadlines.arm(tx, account_id, ERASE, due_at):
            raise NotFound("There is no such account.")
        await self._cascade.arm(tx, account_id, due_at)
        await stops.stop(
            tx,
            brand_id=brand.id,
            account_id=account_id,
            purpose=EVERY_PURPOSE,
            reason=StopReason.erasure,
            request_id=request_id,
        )
        await self._generations.end_all(tx, brand_id=brand.id, account_id=account_id, reason="account_closing")
        await accounts.sign_out_everywhere(tx, brand.id, account_id)
        return await holders.expect(tx, brand_id=brand.id, account_id=account_id, token=token)

    async def cancel(self, tx: Transaction, brand: LoadedBrand, account_id: str, request_id: str) -> RequestRow:
        """Take a request back. Raises `NotFound`, `RequestIsOver`."""
        row = await self._changeable(tx, brand.id, request_id, account_id=account_id, also=State.in_force)
        if row.kind == Kind.erasure and row.effective_at is not None:
            if not await deadlines.arm(tx, account_id, ERASE, None):
                raise RequestIsOver(state=row.state)
            await self._cascade.disarm(tx, account_id, row.effective_at)
            await holders.forget(tx, account_id)
        await stops.lift(tx, account_id, row.id)
        return await self._end(tx, row, State.canceled, "canceled", account_id)

    async def conclude_erasures(self, tx: Transaction, limit: int) -> int:
        """Close erasures whose receipt is in the evidence log; returns how many."""
        rows = await repository.erasures_to_conclude(tx, limit)
        for row in rows:
            await self._end(tx, row, State.completed, "completed", "platform")
        return len(rows)

    @enforces("right.correction")
    async def warn(self, tx: Transaction) -> int:
        """Raise findings for requests whose time is nearly over, or over; returns how many."""
        rows = await repository.to_warn_of(tx, soon=tx.now + _WARNED_BEFORE, limit=WARNED_AT_ONCE)
        for row in rows:
            stage = "over" if row.due_at <= tx.now else "soon"
            await findings.raise_finding(
                tx,
                code="privacy_request_overdue" if stage == "over" else "privacy_request_due_soon",
                subject=row.id,
                detail=row.kind,
                brand_id=row.brand_id,
            )
            await repository.set_warned(tx, row.id, stage)
        return len(rows)
