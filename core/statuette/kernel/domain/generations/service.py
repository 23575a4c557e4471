"""Rules of jobs: accepting, ending, cancelling. Everything here happens inside one open transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from statuette.errors import RateLimited
from statuette.kernel import telemetry
from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.credits import service as credits
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.figurines.service import FigurineRow
from statuette.kernel.domain.generations import budget, repository
from statuette.kernel.domain.generations.order import Order, OrderInput, Plan
from statuette.kernel.domain.generations.outcomes import State
from statuette.kernel.domain.generations.repository import GenerationRow
from statuette.kernel.domain.generations.tables import Generation, GenerationInput
from statuette.kernel.domain.statements import service as statements
from statuette.kernel.domain.statements.words import of_accounts, of_uploads
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.domain.usage import service as usage
from statuette.kernel.domain.usage.device import UNKNOWN, Device
from statuette.kernel.events.log import EventLog
from statuette.kernel.events.signals import ENDED, Signals
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.queues import BACKGROUND, INTERACTIVE, MAIL

PURPOSE = "generation"
ACTOR = "generate"
LET_GO = "let_go"
TELL_ENDED = "tell_ended"
_CALL_MAY_END_BY_ITSELF = timedelta(seconds=5)


class TooManyInFlight(RateLimited):
    code = "too_many_in_flight"
    summary = "Too many of your jobs are at work."


class Generations:
    """Accepts and ends jobs."""

    def __init__(
        self, outbox: Outbox, events: EventLog, signals: Signals, brands: BrandDirectory, longest_job: timedelta
    ) -> None:
        self._outbox = outbox
        self._events = events
        self._signals = signals
        self._brands = brands
        self._longest_job = longest_job

    async def accept(
        self,
        tx: Transaction,
        *,
        brand: LoadedBrand,
        account_id: str,
        order: Order,
        plan: Plan,
        device: Device = UNKNOWN,
    ) -> str:
        """Accept a job: consent, inputs, credits, the day's ceiling, the row, the work. All or nothing; returns the id.

        Raises:
            ConsentRequired, StatementsMissing, NotFound (an input), UploadNotReady, UploadStatementOutdated,
            UploadExpiresTooSoon, TooManyInFlight, InsufficientCredits, DailyCeilingReached.
        """
        await statements.require(tx, brand.id, account_id, of_accounts(brand.config))
        await consent.mint_permit(
            tx,
            brand_id=brand.id,
            account_id=account_id,
            purpose=PURPOSE,
            categories=categories(order.inputs),
            policy=brand.policy,
        )
        # Before anything else of the account: it locks the wallet, so that orders and ends of one account take turns.
        generation_id = tx.new_id("gen")
        await credits.hold(
            tx,
            brand_id=brand.id,
            account_id=account_id,
            reference=generation_id,
            amount=plan.credits_each * order.count,
        )
        if await repository.in_flight(tx, brand.id, account_id) >= brand.config.limits.generations_in_flight:
            raise TooManyInFlight(retry_after_seconds=5)
        for item in order.inputs:
            if item.upload_id is not None:
                await uploads.use(
                    tx,
                    brand_id=brand.id,
                    account_id=account_id,
                    upload_id=item.upload_id,
                    asked=of_uploads(brand.config),
                    policy=brand.policy,
                    longest_job=self._longest_job,
                )
            elif item.figurine_id is not None:
                await figurines.get(tx, brand.id, account_id, item.figurine_id)
        day = f"{tx.now:%Y-%m-%d}"
        await tx.insert(
            Generation,
            id=generation_id,
            brand_id=brand.id,
            account_id=account_id,
            state=State.queued.value,
            reason=None,
            style=plan.style.slug,
            style_version=plan.style.version,
            variables=msgspec.json.encode(plan.variables).decode(),
            aspect_ratio=plan.aspect_ratio,
            picture_count=order.count,
            subject_count=order.subjects,
            parent_id=order.parent_id,
            notify=order.notify,
            models=msgspec.json.encode(plan.models).decode(),
            model_index=0,
            credits_each=plan.credits_each,
            credits_captured=0,
            retries=0,
            reserved_micros=plan.worst_case_micros,
            reserved_day=day,
            currency=plan.currency,
            policy_digest=brand.policy.digest,
            created_at=tx.now,
            started_at=None,
            finished_at=None,
            expires_at=tx.now + self._longest_job,
        )
        for position, item in enumerate(order.inputs):
            await tx.insert(
                GenerationInput,
                id=f"{generation_id}.{position}",
                brand_id=brand.id,
                generation_id=generation_id,
                position=position,
                role=item.role.value,
                upload_id=item.upload_id,
                figurine_id=item.figurine_id,
            )
        await self._events.append(
            tx, brand_id=brand.id, generation_id=generation_id, type="generation.queued", state=State.queued.value
        )
        await self._outbox.put(tx, queue=INTERACTIVE, actor=ACTOR, subject_id=generation_id)
        await usage.job_ordered(
            tx,
            brand_id=brand.id,
            account_id=account_id,
            generation_id=generation_id,
            style=plan.style.slug,
            device=device,
            policy=brand.policy,
        )
        # Last, since every order of the brand writes this row.
        await budget.reserve(
            tx,
            brand_id=brand.id,
            day=day,
            currency=plan.currency,
            ceiling_micros=brand.config.daily_cost_ceiling.micros,
            micros=plan.worst_case_micros,
        )
        return generation_id

    async def end(
        self, tx: Transaction, job: GenerationRow, *, state: State, reason: str | None, delivered: int
    ) -> bool:
        """End a job, once: credits, reservation, deadlines of its inputs, letter, event. Whether this call ended it.

        Args:
            delivered: how many pictures are paid for.
        """
        captured = delivered * job.credits_each
        if not await repository.end(tx, job.id, state=state.value, reason=reason, credits_captured=captured):
            return False
        if captured:
            await credits.capture(tx, brand_id=job.brand_id, reference=job.id, amount=captured)
        else:
            await credits.release(tx, brand_id=job.brand_id, reference=job.id)
        budget.settle(
            tx, brand_id=job.brand_id, day=job.reserved_day, reserved_micros=job.reserved_micros, spent_micros=0
        )
        await figurines.discard_unfinished(tx, job.id)
        await self._release_inputs(tx, job)
        await self._outbox.withdraw(tx, actor=ACTOR, subject_id=job.id)
        await self._let_go(tx, job)
        await usage.job_ended(tx, job.id, state.value)
        if job.notify:
            await self._outbox.put(tx, queue=MAIL, actor=TELL_ENDED, subject_id=job.id)
        await self._events.append(
            tx,
            brand_id=job.brand_id,
            generation_id=job.id,
            type=f"generation.{state.value}",
            state=state.value,
            reason=reason,
            credits_captured=captured,
        )
        tx.after_commit(lambda: telemetry.count(telemetry.terminal_states, 1, {"state": state.value}))
        return True

    async def cancel(self, tx: Transaction, job: GenerationRow, *, reason: str, charge: bool) -> bool:
        """Cancel a job that has not ended. Pictures it has are kept and paid for; `charge` takes the rest of the price too."""
        have = len(await figurines_of(tx, job))
        delivered = job.picture_count if charge and job.started_at is not None else have
        return await self.end(tx, job, state=State.canceled, reason=reason, delivered=delivered)

    async def settle_upload(self, tx: Transaction, upload_id: str, now: datetime) -> None:
        """The photo's deadline has come: what still uses it is cancelled, unpaid."""
        for job in await repository.lock_unfinished_using(tx, upload_id):
            await self.cancel(tx, job, reason="input_deleted", charge=False)

    async def poisoned(self, tx: Transaction, generation_id: str) -> str | None:
        """Work on the job ended in disorder too often."""
        job = await repository.lock_unfinished(tx, generation_id)
        if job is not None:
            have = len(await figurines_of(tx, job))
            await self.end(tx, job, state=State.failed, reason="poisoned", delivered=have)
        return job.brand_id if job is not None else None

    async def withdraw_consent(self, tx: Transaction, *, brand_id: str, account_id: str) -> int:
        """Consent was taken back: every unfinished job of the account is cancelled, unpaid; returns how many."""
        return await self.end_all(tx, brand_id=brand_id, account_id=account_id, reason="consent_withdrawn")

    async def end_all(self, tx: Transaction, *, brand_id: str, account_id: str, reason: str) -> int:
        """Cancel every unfinished job of the account, unpaid; returns how many."""
        jobs = await repository.lock_all_unfinished(tx, brand_id, account_id)
        for job in jobs:
            await self.cancel(tx, job, reason=reason, charge=False)
        return len(jobs)

    async def _let_go(self, tx: Transaction, job: GenerationRow) -> None:
        """Stop what is still under way for an ended job, and see to it that its cost is booked whatever happens."""
        for attempt in await repository.attempts(tx, job.id):
            if attempt.finished_at is not None:
                continue
            # A call of a live process books its own end; what waits at the provider has nobody who does.
            due_at = tx.now if attempt.handle is not None else tx.now + _CALL_MAY_END_BY_ITSELF
            await self._outbox.put(tx, queue=BACKGROUND, actor=LET_GO, subject_id=attempt.id, due_at=due_at)
        tx.after_commit(lambda: self._signals.send(ENDED, job.id))

    async def _release_inputs(self, tx: Transaction, job: GenerationRow) -> None:
        brand = await self._brands.by_id(job.brand_id)
        for item in await repository.inputs(tx, job.id):
            # This job's state is terminal by now, so it no longer counts among those that use the photo.
            if item.upload_id is not None and not await repository.unfinished_using(tx, item.upload_id):
                await uploads.job_ended(tx, item.upload_id, brand.policy)


async def figurines_of(tx: Transaction, job: GenerationRow) -> list[FigurineRow]:
    """The job's pictures so far."""
    return await figurines.of_generation(tx, job.brand_id, job.id)


def categories(inputs: tuple[OrderInput, ...]) -> frozenset[str]:
    """Categories of data that a call with these inputs carries."""
    found = {"style_choices", "prompt_variables"}
    for item in inputs:
        found.add("photo" if item.upload_id is not None else "figurine")
    return frozenset(found)


async def report_ceiling(tx: Transaction, brand_id: str) -> None:
    """People are being turned away: an operator should know."""
    await findings.raise_finding(
        tx, code="daily_ceiling_reached", subject=f"{brand_id}:{tx.now:%Y-%m-%d}", brand_id=brand_id
    )
