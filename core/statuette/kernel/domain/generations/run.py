"""Doing a job: one step a call to the provider, each between two commits.

A step may be killed anywhere. Then the next one finds the attempt on record, books its cost as the worst case, throws away
what had begun to be stored, and goes on. A job at a queue-based provider is polled again instead of submitted again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from statuette.errors import NotFound, StatuetteError
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.errors import CommitOutcomeUnknown, DatabaseUnavailable
from statuette.kernel.domain.brands.directory import BrandDirectory
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.generations import attempts, budget, repository
from statuette.kernel.domain.generations.calls import Calls, drop, forget
from statuette.kernel.domain.generations.order import OrderInput
from statuette.kernel.domain.generations.outcomes import (
    MAX_RETRIES,
    MOST_PAID_IN_VAIN,
    Decision,
    End,
    NextModel,
    Retry,
    State,
    decide,
    delay_before_retry,
    detail,
    kind,
)
from statuette.kernel.domain.generations.pictures import Pictures
from statuette.kernel.domain.generations.repository import AttemptRow, GenerationRow
from statuette.kernel.domain.generations.service import PURPOSE, Generations, categories, figurines_of
from statuette.kernel.domain.generations.step import Source, Step
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.events.log import EventLog
from statuette.kernel.permit import PermitRefused
from statuette.kernel.pixels.results import RenderedPicture
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, LeaseLost, Outbox
from statuette.ports.image import (
    Accepted,
    InputRole,
    NoImage,
    Outcome,
    ProviderUnavailable,
    Succeeded,
)
from statuette.ports.storage import StorageUnavailable

Result = TypeVar("Result")
_OUTCOMES_WAIT_FOR = timedelta(minutes=1)
_ASK_DATABASE_AGAIN_AFTER = timedelta(seconds=1)


class JobRunner:
    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        events: EventLog,
        generations: Generations,
        brands: BrandDirectory,
        plugins: PluginRegistry,
        pictures: Pictures,
        calls: Calls,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._events = events
        self._generations = generations
        self._brands = brands
        self._plugins = plugins
        self._pictures = pictures
        self._calls = calls

    async def run(self, claimed: Claimed) -> None:
        """Do the next step of a job."""
        await self._brands.fresh()
        with self._calls.at_work(claimed.subject_id):
            # Room first: a permit lives for seconds, and an attempt that waits for its turn would look like a call.
            async with self._calls.room(await self._bytes_to_send(claimed.subject_id)):
                with telemetry.span("database prepare"):
                    step = await self._database.run(partial(self._prepare, claimed=claimed))
                if step is None:
                    return
                submission = await self._calls.make(step)
            if isinstance(submission, Accepted):
                await self._wait_for(claimed, step, submission)
            else:
                await self._conclude(claimed, step, submission.outcome)

    async def _bytes_to_send(self, generation_id: str) -> int:
        """What the inputs of a job take, unless its provider has them already."""
        async with self._database.read() as reader:
            inputs = await repository.inputs_to_send(reader, generation_id)
            photos = [await uploads.size_bytes(reader, row.upload_id) for row in inputs if row.upload_id]
            pictures = [await figurines.size_bytes(reader, row.figurine_id) for row in inputs if row.figurine_id]
        return sum(photos) + sum(pictures)

    async def let_go(self, claimed: Claimed) -> None:
        """Tell the provider to drop an attempt whose job has ended, and book what it may have cost."""
        found = await self._database.run(partial(self._begin_letting_go, claimed=claimed))
        if found is None:
            return
        _, attempt = found
        provider = self._plugins.image_providers.get(attempt.provider)
        if attempt.handle is not None and provider is not None:
            await drop(provider, attempt.handle)

        async def finish(tx: Transaction) -> None:
            await self._book_unknown(tx, claimed.subject_id)
            await self._outbox.finish(tx, claimed)

        await self._recorded(finish)

    async def not_let_go(self, tx: Transaction, attempt_id: str) -> str | None:
        """The provider could not be told. The cost is booked; the runner raises the finding."""
        return await self._book_unknown(tx, attempt_id)

    async def _begin_letting_go(self, tx: Transaction, *, claimed: Claimed) -> tuple[GenerationRow, AttemptRow] | None:
        found = await self._open_attempt(tx, claimed.subject_id)
        if found is None:
            await self._outbox.finish(tx, claimed)
        return found

    async def _open_attempt(self, tx: Transaction, attempt_id: str) -> tuple[GenerationRow, AttemptRow] | None:
        job = await repository.lock_by_attempt(tx, attempt_id)
        if job is None:
            return None
        recorded = await repository.attempts(tx, job.id)
        return next(((job, a) for a in recorded if a.id == attempt_id and a.finished_at is None), None)

    async def _book_unknown(self, tx: Transaction, attempt_id: str) -> str | None:
        found = await self._open_attempt(tx, attempt_id)
        if found is None:
            return None
        job, attempt = found
        await attempts.close_unknown(tx, job, attempt, reason="job_ended")
        return job.brand_id

    async def _prepare(self, tx: Transaction, *, claimed: Claimed) -> Step | None:
        """Everything that has to be on record before a call leaves; None when there is nothing to call for."""
        # The job first, then its work, as everybody does: else this and a cancellation wait for each other.
        job = await repository.lock_unfinished(tx, claimed.subject_id)
        if job is None:
            await self._outbox.finish(tx, claimed)
            return None
        await self._outbox.hold(tx, claimed)
        brand = await self._brands.by_id(job.brand_id)
        earlier = await repository.attempts(tx, job.id)
        have = len(await figurines_of(tx, job)) if earlier else 0
        if tx.now >= job.expires_at:
            await self._generations.end(tx, job, state=State.failed, reason="took_too_long", delivered=have)
            return None
        job, pending = await self._tidy(tx, job, earlier)
        inputs = tuple(
            OrderInput(role=InputRole(row.role), upload_id=row.upload_id, figurine_id=row.figurine_id)
            for row in await repository.inputs(tx, job.id)
        )
        try:
            permit = await consent.mint_permit(
                tx,
                brand_id=brand.id,
                account_id=job.account_id,
                purpose=PURPOSE,
                categories=categories(inputs),
                policy=brand.policy,
            )
        except consent.ConsentRequired as error:
            outdated = isinstance(error, consent.ConsentOutdated)
            reason = error.code if outdated else "consent_withdrawn"
            await self._generations.cancel(tx, job, reason=reason, charge=False)
            return None
        except PermitRefused:
            await self._generations.end(tx, job, state=State.failed, reason="permit_refused", delivered=have)
            return None
        sources = await self._sources(tx, job, inputs)
        if sources is None:
            # The enforcer would say the same a moment later.
            await self._generations.cancel(tx, job, reason="input_deleted", charge=False)
            return None
        model_name = job.model_list()[job.model_index]
        found = self._plugins.provider_of(model_name)
        if found is None:
            await self._fall_through(tx, claimed, job, model_name, have)
            return None
        provider, model = found
        if permit.receivers is not None and provider.processor.id not in permit.receivers:
            await self._fall_through(tx, claimed, job, model_name, have)  # no published policy names who is behind it
            return None
        wanted = min(job.picture_count - have, model.max_images)
        if pending is None:
            if earlier and await self._paid_in_vain(tx, job) >= MOST_PAID_IN_VAIN:
                await findings.raise_finding(
                    tx,
                    code="paid_in_vain",
                    subject=f"{job.brand_id}:{earlier[-1].provider}",
                    detail=earlier[-1].reason or "",
                    brand_id=job.brand_id,
                )
                await self._end(tx, job, State.failed, "paid_in_vain", have)
                return None
            try:
                pending = await attempts.record(tx, job, brand, provider, model, number=len(earlier) + 1)
            except budget.DailyCeilingReached:
                await self._generations.end(tx, job, state=State.failed, reason="daily_ceiling_reached", delivered=have)
                return None
        # While a job waits at its provider, asking for it is nothing that anybody needs to hear of.
        if job.state != State.running and pending.handle is None:
            await repository.begin(tx, job.id)
            await self._events.append(
                tx, brand_id=job.brand_id, generation_id=job.id, type="generation.running", state="running"
            )
        return Step(
            job=job,
            brand=brand,
            provider=provider,
            model=model,
            permit=permit,
            inputs=inputs,
            sources=sources,
            attempt=pending,
            wanted=wanted,
        )

    async def _tidy(
        self, tx: Transaction, job: GenerationRow, earlier: list[AttemptRow]
    ) -> tuple[GenerationRow, AttemptRow | None]:
        """Close what a killed step left open; returns the job and an attempt that still waits at the provider, or is repeated."""
        if earlier:
            await figurines.discard_unfinished(tx, job.id)
        for attempt in earlier:
            if attempt.finished_at is not None:
                continue
            if attempt.state == "accepted" or self._repeatable(attempt):
                return job, attempt
            job = await attempts.close_unknown(tx, job, attempt, reason="worker_lost")
        return job, None

    async def _paid_in_vain(self, tx: Transaction, job: GenerationRow) -> int:
        """How many calls were, or may have been, paid for and brought nothing that is kept."""
        fruitful = {figurine.attempt_id for figurine in await figurines_of(tx, job)}
        recorded = await repository.attempts(tx, job.id)
        return sum(bool(attempt.cost_micros) and attempt.id not in fruitful for attempt in recorded)

    def _repeatable(self, attempt: AttemptRow) -> bool:
        found = self._plugins.provider_of(f"{attempt.provider}/{attempt.model}")
        return found is not None and found[1].repeatable

    async def _repeated_elsewhere(self, step: Step) -> bool:
        """Whether another worker goes on with this very attempt, which is then its own to close."""
        if not step.model.repeatable:
            return False
        async with self._database.read() as reader:
            return await repository.is_unfinished(reader, step.job.id)

    async def _sources(
        self, tx: Transaction, job: GenerationRow, inputs: tuple[OrderInput, ...]
    ) -> tuple[Source, ...] | None:
        """Where the inputs lie; None when one of them is no longer to be seen."""
        found: list[Source] = []
        for item in inputs:
            try:
                if item.upload_id is not None:
                    photo = await uploads.get(tx, job.brand_id, job.account_id, item.upload_id)
                    key = uploads.object_key(job.brand_id, photo.id)
                    found.append(Source(item.role, key, photo.media_type, photo.width, photo.height, photo.size_bytes))
                elif item.figurine_id is not None:
                    figurine = await figurines.get(tx, job.brand_id, job.account_id, item.figurine_id)
                    key = figurines.object_key(job.brand_id, figurine.id, "original")
                    found.append(
                        Source(
                            item.role, key, figurine.media_type, figurine.width, figurine.height, figurine.size_bytes
                        )
                    )
            except NotFound:
                return None
        return tuple(found)

    async def _wait_for(self, claimed: Claimed, step: Step, accepted: Accepted) -> None:
        """The provider has queued the job: keep its handle before anything else, and come back."""

        async def wait(tx: Transaction) -> None:
            job = await repository.lock_unfinished(tx, step.job.id)
            if job is None:
                raise LeaseLost()
            await repository.accept_attempt(tx, step.attempt.id, accepted.handle)
            await self._wait(tx, job, reason="provider_queue", retries=job.retries, model_index=job.model_index)
            await self._outbox.postpone(tx, claimed, tx.now + accepted.poll_after)

        try:
            await self._kept(wait, step, accepted)
        except LeaseLost:
            if not await self._repeated_elsewhere(step):
                await forget(step.provider, accepted.handle)
                await self._close(step, ProviderUnavailable(reason="canceled", possibly_charged=True))
            raise

    async def _kept(self, wait: Callable[[Transaction], Awaitable[None]], step: Step, accepted: Accepted) -> None:
        """Put a handle on record, however long the database is away: without it the job would be ordered, and paid, anew."""
        while True:
            try:
                await self._recorded(wait)
                return
            except CommitOutcomeUnknown:
                if await self._is_kept(step, accepted):
                    return
            except DatabaseUnavailable:
                if self._database.clock.now() >= step.job.expires_at:
                    raise
            await self._database.clock.sleep(_ASK_DATABASE_AGAIN_AFTER)

    async def _is_kept(self, step: Step, accepted: Accepted) -> bool:
        try:
            async with self._database.read() as reader:
                recorded = await repository.attempts(reader, step.job.id)
        except DatabaseUnavailable:
            return False
        return any(attempt.id == step.attempt.id and attempt.handle == accepted.handle for attempt in recorded)

    async def _conclude(self, claimed: Claimed, step: Step, outcome: Outcome) -> None:
        telemetry.outcomes.add(1, {"provider": step.provider.name, "outcome": kind(outcome)})
        try:
            decision = decide(outcome)
            if isinstance(outcome, Succeeded):
                try:
                    pictures = [
                        await self._pictures.rendered(image, f"{step.provider.name}/{step.model.id}")
                        for image in outcome.images[: step.wanted]
                    ]
                    await self._deliver(claimed, step, outcome, pictures)
                    return
                except LeaseLost:
                    raise
                except StorageUnavailable:
                    decision = Retry("storage_unavailable", None)
                except StatuetteError as error:
                    if isinstance(error, DatabaseUnavailable | CommitOutcomeUnknown):
                        decision = Retry("database_unavailable", None)
                    elif error.retryable:
                        decision = Retry("pixels_unavailable", None)
                    else:
                        outcome = NoImage(reason="undecodable_picture", usage=outcome.usage)
                        decision = decide(outcome)
            await self._recorded(lambda tx: self._dispose(tx, claimed, step, outcome, decision))
        except LeaseLost:
            # The job ended or went to another worker; what this call cost is on record all the same.
            if not await self._repeated_elsewhere(step):
                await self._close(step, outcome)
            raise

    async def _deliver(self, claimed: Claimed, step: Step, outcome: Outcome, pictures: list[RenderedPicture]) -> None:
        """Rows and deadlines, then bytes, then everything that follows from them, in one transaction."""
        ids = await self._recorded(lambda tx: self._begin_pictures(tx, claimed, step, pictures))
        for figurine_id, picture in zip(ids, pictures, strict=True):
            await self._pictures.store(step.brand.id, figurine_id, picture)
        try:
            await self._recorded(lambda tx: self._complete(tx, claimed, step, outcome, ids))
        except LeaseLost:
            # Their rows may be gone already, and with them the deadlines that would have removed these bytes.
            await self._pictures.remove(step.brand.id, ids)
            raise

    async def _begin_pictures(
        self, tx: Transaction, claimed: Claimed, step: Step, pictures: list[RenderedPicture]
    ) -> list[str]:
        await self._held(tx, claimed, step)
        return [
            await figurines.begin(
                tx,
                brand_id=step.job.brand_id,
                account_id=step.job.account_id,
                generation_id=step.job.id,
                attempt_id=step.attempt.id,
                position=position,
                original=picture.original,
                policy_digest=step.brand.policy.digest,
            )
            for position, picture in enumerate(pictures)
        ]

    async def _complete(self, tx: Transaction, claimed: Claimed, step: Step, outcome: Outcome, ids: list[str]) -> None:
        job = await self._held(tx, claimed, step)
        job = await attempts.close(tx, job, step.attempt, outcome)
        for figurine_id in ids:
            await figurines.complete(tx, figurine_id)
            await self._events.append(
                tx,
                brand_id=job.brand_id,
                generation_id=job.id,
                type="generation.figurine_ready",
                figurine_id=figurine_id,
            )
        have = len(await figurines_of(tx, job))
        if have >= job.picture_count:
            await self._generations.end(tx, job, state=State.succeeded, reason=None, delivered=have)
        else:
            await self._outbox.postpone(tx, claimed, tx.now)

    async def _dispose(
        self, tx: Transaction, claimed: Claimed, step: Step, outcome: Outcome, decision: Decision
    ) -> None:
        """What follows when no picture was kept."""
        job = await self._held(tx, claimed, step)
        job = await attempts.close(tx, job, step.attempt, outcome)
        have = len(await figurines_of(tx, job))
        if getattr(outcome, "operator_fault", False):
            await findings.raise_finding(
                tx,
                code="provider_rejects_operator",
                subject=f"{job.brand_id}:{step.provider.name}",
                detail=detail(outcome) or "",
                brand_id=job.brand_id,
            )
        match decision:
            case Retry() as retry:
                delay = delay_before_retry(retry, job.retries)
                if job.retries >= MAX_RETRIES or tx.now + delay >= job.expires_at:
                    await self._end(tx, job, State.failed, f"{retry.reason}_too_long", have)
                    return
                await self._wait(tx, job, reason=retry.reason, retries=job.retries + 1, model_index=job.model_index)
                await self._outbox.postpone(tx, claimed, tx.now + delay)
            case NextModel():
                await self._fall_through(tx, claimed, job, f"{step.provider.name}/{step.model.id}", have)
            case End(state, reason):
                await self._end(tx, job, state, reason, have)

    async def _end(self, tx: Transaction, job: GenerationRow, state: State, reason: str, have: int) -> None:
        # Pictures that are there are delivered and paid for, whatever became of the rest.
        await self._generations.end(tx, job, state=State.succeeded if have else state, reason=reason, delivered=have)

    async def _fall_through(
        self, tx: Transaction, claimed: Claimed, job: GenerationRow, model_name: str, have: int
    ) -> None:
        """A model is gone: an operator should know, and the brand's next one takes over."""
        await findings.raise_finding(
            tx, code="model_not_found", subject=f"{job.brand_id}:{model_name}", brand_id=job.brand_id
        )
        if job.model_index + 1 >= len(job.model_list()):
            await self._end(tx, job, State.failed, "no_model_left", have)
            return
        await self._wait(tx, job, reason="next_model", retries=job.retries, model_index=job.model_index + 1)
        await self._outbox.postpone(tx, claimed, tx.now)

    async def _wait(self, tx: Transaction, job: GenerationRow, *, reason: str, retries: int, model_index: int) -> None:
        was_waiting = job.state == State.waiting
        await repository.wait(tx, job.id, retries=retries, model_index=model_index)
        if not was_waiting:
            await self._events.append(
                tx,
                brand_id=job.brand_id,
                generation_id=job.id,
                type="generation.waiting",
                state="waiting",
                reason=reason,
            )

    async def _held(self, tx: Transaction, claimed: Claimed, step: Step) -> GenerationRow:
        """The job, still ours and unfinished. Raises `LeaseLost`."""
        job = await repository.lock_unfinished(tx, step.job.id)
        if job is None:
            raise LeaseLost()
        await self._outbox.hold(tx, claimed)
        return job

    async def _close(self, step: Step, outcome: Outcome) -> None:
        async def close(tx: Transaction) -> None:
            await attempts.close(tx, await repository.lock(tx, step.job.id), step.attempt, outcome)

        await self._recorded(close)

    async def _recorded(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Put on record what came of a call. The provider has been paid, so a database that is away is waited for."""
        with telemetry.span("database record"):
            return await self._database.run(work, patience=_OUTCOMES_WAIT_FOR)
