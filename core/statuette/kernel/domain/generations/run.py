"""Doing a job: one step a call to the provider, each between two commits.

A step may be killed anywhere. Then the next one finds the attempt on record, books its cost as the worst case, throws away
what had begun to be stored, and goes on. A job at a queue-based provider is polled again instead of submitted again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from datetime import timedelta

import msgspec

from statuette.errors import ConfigurationError, NotFound, StatuetteError
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.generations import budget, repository
from statuette.kernel.domain.generations.order import OrderInput
from statuette.kernel.domain.generations.outcomes import (
    MAX_RETRIES,
    Decision,
    End,
    NextModel,
    Retry,
    State,
    cost_micros,
    decide,
    delay_before_retry,
    detail,
    kind,
)
from statuette.kernel.domain.generations.repository import AttemptRow, GenerationRow
from statuette.kernel.domain.generations.service import PURPOSE, Generations, categories, figurines_of
from statuette.kernel.domain.generations.tables import Attempt
from statuette.kernel.domain.styles import prompt
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.egress import CallTimedOut, CircuitOpen, Egress, EgressDenied, PermitExpired
from statuette.kernel.events.log import EventLog
from statuette.kernel.permit import Permit, PermitRefused
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.pixels.results import EncodedPicture, RenderedPicture
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, LeaseLost, Outbox
from statuette.ports.image import (
    Accepted,
    Finished,
    GeneratedImage,
    ImageInput,
    ImageProvider,
    ImageRequest,
    InputRole,
    ModelInfo,
    NoImage,
    Outcome,
    ProviderUnavailable,
    Rejected,
    Submission,
    Succeeded,
    UnknownHandle,
    Usage,
)
from statuette.ports.storage import ObjectNotFound, Storage, StorageUnavailable
from statuette.values import CostMicros

_ASK_AGAIN_AFTER = timedelta(seconds=5)
_LETTING_GO_SECONDS = 10.0
# The pictures are paid for: a store that stumbles is asked again before they are given up.
_PAUSES_BETWEEN_PUTS = (timedelta(seconds=0.2), timedelta(seconds=1), timedelta(seconds=5))
_log = logging.getLogger(__name__)


class Source(msgspec.Struct, frozen=True):
    """Where an input picture lies, checked to be visible when the step began."""

    role: InputRole
    key: str
    media_type: str
    width: int
    height: int


class Step(msgspec.Struct, frozen=True):
    """One call, prepared and on record."""

    job: GenerationRow
    brand: LoadedBrand
    provider: ImageProvider
    model: ModelInfo
    permit: Permit
    inputs: tuple[OrderInput, ...]
    sources: tuple[Source, ...]
    attempt: AttemptRow
    wanted: int


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
        egress: Egress,
        storage: Storage,
        pixels: PixelPool,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._events = events
        self._generations = generations
        self._brands = brands
        self._plugins = plugins
        self._egress = egress
        self._storage = storage
        self._pixels = pixels
        # Usually one a job; more when a worker was away for longer than its lease and does not know it yet.
        self._calls: defaultdict[str, set[asyncio.Task[Submission]]] = defaultdict(set)
        self._at_work: set[str] = set()
        self._stopped: set[str] = set()

    async def run(self, claimed: Claimed) -> None:
        """Do the next step of a job."""
        self._at_work.add(claimed.subject_id)
        try:
            step = await self._prepare(claimed)
            if step is None:
                return
            submission = await self._call(step)
            if isinstance(submission, Accepted):
                await self._wait_for(claimed, step, submission)
                return
            await self._conclude(claimed, step, submission.outcome)
        finally:
            self._at_work.discard(claimed.subject_id)
            self._stopped.discard(claimed.subject_id)

    async def stop(self, generation_id: str) -> None:
        """The job has ended: do not wait for its call, and do not make it any more."""
        for call in self._calls.get(generation_id, ()):
            call.cancel()
        if generation_id in self._at_work:
            self._stopped.add(generation_id)

    async def let_go(self, claimed: Claimed) -> None:
        """Tell the provider to drop an attempt whose job has ended, and book what it may have cost."""
        async with self._database.transaction() as tx:
            found = await self._open_attempt(tx, claimed.subject_id)
            if found is None:
                await self._outbox.finish(tx, claimed)
                return
        _, attempt = found
        provider = self._plugins.image_providers.get(attempt.provider)
        if attempt.handle is not None and provider is not None:
            await _drop(provider, attempt.handle)
        async with self._database.transaction() as tx:
            await self._outbox.finish(tx, claimed)
            await self._book_unknown(tx, claimed.subject_id)

    async def not_let_go(self, tx: Transaction, attempt_id: str) -> str | None:
        """The provider could not be told. The cost is booked; the runner raises the finding."""
        return await self._book_unknown(tx, attempt_id)

    async def _open_attempt(self, tx: Transaction, attempt_id: str) -> tuple[GenerationRow, AttemptRow] | None:
        job = await repository.generation_of_attempt(tx, attempt_id)
        if job is None:
            return None
        attempts = await repository.attempts(tx, job.id)
        return next(((job, a) for a in attempts if a.id == attempt_id and a.finished_at is None), None)

    async def _book_unknown(self, tx: Transaction, attempt_id: str) -> str | None:
        found = await self._open_attempt(tx, attempt_id)
        if found is None:
            return None
        job, attempt = found
        await self._close_unknown(tx, job, attempt, reason="job_ended")
        return job.brand_id

    async def _prepare(self, claimed: Claimed) -> Step | None:
        """Everything that has to be on record before a call leaves; None when there is nothing to call for."""
        async with self._database.transaction() as tx:
            await self._outbox.hold(tx, claimed)
            job = await repository.lock_unfinished(tx, claimed.subject_id)
            if job is None:
                await self._outbox.finish(tx, claimed)
                return None
            brand = await self._brands.by_id(job.brand_id)
            have = len(await figurines_of(tx, job))
            if tx.now >= job.expires_at:
                await self._generations.end(tx, job, state=State.failed, reason="took_too_long", delivered=have)
                return None
            pending = await self._tidy(tx, job)
            job = await repository.lock_unfinished(tx, job.id) or job
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
            except consent.ConsentRequired:
                await self._generations.cancel(tx, job, reason="consent_withdrawn", charge=False)
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
            wanted = min(job.picture_count - have, model.max_images)
            if pending is None:
                try:
                    pending = await self._record_attempt(tx, job, brand, provider, model, wanted)
                except budget.DailyCeilingReached:
                    await self._generations.end(
                        tx, job, state=State.failed, reason="daily_ceiling_reached", delivered=have
                    )
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

    async def _tidy(self, tx: Transaction, job: GenerationRow) -> AttemptRow | None:
        """Close what a killed step left open; returns an attempt that still waits at the provider."""
        await figurines.discard_unfinished(tx, job.id)
        for attempt in await repository.attempts(tx, job.id):
            if attempt.finished_at is not None:
                continue
            if attempt.state == "accepted":
                return attempt
            await self._close_unknown(tx, job, attempt, reason="worker_lost")
        return None

    async def _close_unknown(self, tx: Transaction, job: GenerationRow, attempt: AttemptRow, *, reason: str) -> None:
        """The call left and nobody knows how it ended: book the worst, never forget it."""
        if await repository.close_attempt(
            tx,
            attempt.id,
            state="unknown",
            outcome=None,
            reason=reason,
            input_tokens=None,
            output_tokens=None,
            cost_micros=attempt.reserved_micros,
        ):
            await self._settle(tx, job, attempt, attempt.reserved_micros)

    async def _record_attempt(
        self,
        tx: Transaction,
        job: GenerationRow,
        brand: LoadedBrand,
        provider: ImageProvider,
        model: ModelInfo,
        wanted: int,
    ) -> AttemptRow:
        needed = model.worst_case_cost.micros
        if job.reserved_micros < needed:
            more = needed - job.reserved_micros
            await budget.reserve(
                tx,
                brand_id=job.brand_id,
                day=job.reserved_day,
                currency=job.currency,
                ceiling_micros=brand.config.daily_cost_ceiling.micros,
                micros=more,
            )
            await repository.change_reserve(tx, job.id, more)
        number = len(await repository.attempts(tx, job.id)) + 1
        attempt_id = tx.new_id("att")
        await tx.insert(
            Attempt,
            id=attempt_id,
            brand_id=job.brand_id,
            generation_id=job.id,
            number=number,
            provider=provider.name,
            model=model.id,
            state="calling",
            handle=None,
            outcome=None,
            reason=None,
            input_tokens=None,
            output_tokens=None,
            reserved_micros=needed,
            cost_micros=None,
            currency=job.currency,
            started_at=tx.now,
            finished_at=None,
        )
        return (await repository.attempts(tx, job.id))[-1]

    async def _call(self, step: Step) -> Submission:
        """Ask the provider. Whatever it does becomes a submission."""
        handle = step.attempt.handle
        try:
            request = None if handle is not None else await self._request(step)
        except ObjectNotFound:
            return Finished(NoImage(reason="input_gone", usage=Usage(cost=CostMicros(step.attempt.currency, 0))))
        except StorageUnavailable:
            return _unsent(handle, "storage_unavailable")
        except ConfigurationError:
            return Finished(Rejected(reason="style_unavailable", operator_fault=True))
        if step.job.id in self._stopped:
            return _unsent(handle, "canceled")

        async def ask() -> Submission:
            if handle is not None:
                return await step.provider.poll(handle)
            assert request is not None
            return await step.provider.submit(request)

        call = asyncio.create_task(
            self._egress.call(
                ask,
                processor=step.provider.processor,
                permit=step.permit,
                purpose=PURPOSE,
                categories=categories(step.inputs),
                timeout=step.model.timeout,
                needed_micros=0 if handle is not None else step.model.worst_case_cost.micros,
                reserved_micros=step.attempt.reserved_micros,
                healthy=_healthy,
            )
        )
        self._calls[step.job.id].add(call)
        try:
            return await call
        except CircuitOpen as error:
            return _unsent(handle, "circuit_open", timedelta(seconds=error.attributes["retry_after_seconds"]))
        except PermitExpired:
            return _unsent(handle, "permit_expired")
        except EgressDenied:
            return Finished(Rejected(reason="egress_denied", operator_fault=True))
        except CallTimedOut:
            if handle is not None:
                return _unsent(handle, "timeout")
            return Finished(ProviderUnavailable(reason="timeout", possibly_charged=True))
        except UnknownHandle:
            return Finished(ProviderUnavailable(reason="handle_lost", possibly_charged=True))
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) is not None and current.cancelling():
                call.cancel()
                raise
            # Only the call was cancelled: its job has ended. It may have been paid for.
            if handle is not None:
                await self._forget(step.provider, handle)
            return Finished(ProviderUnavailable(reason="canceled", possibly_charged=True))
        finally:
            self._calls[step.job.id].discard(call)
            if not self._calls[step.job.id]:
                del self._calls[step.job.id]

    async def _request(self, step: Step) -> ImageRequest:
        style = self._plugins.style(step.job.style, step.job.style_version)
        variables = step.job.variable_map()
        pictures = [await self._picture(source) for source in step.sources]
        return ImageRequest(
            attempt_id=step.attempt.id,
            model=step.model.id,
            prompt=prompt.build_prompt(style, step.model.family, variables, step.job.subject_count, None),
            inputs=tuple(pictures),
            style=step.job.style,
            variables=variables,
            aspect_ratio=step.job.aspect_ratio,
            count=step.wanted,
            seed=_seed(step.attempt.id),
        )

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
                    found.append(Source(item.role, key, photo.media_type, photo.width, photo.height))
                elif item.figurine_id is not None:
                    figurine = await figurines.get(tx, job.brand_id, job.account_id, item.figurine_id)
                    key = figurines.object_key(job.brand_id, figurine.id, "original")
                    found.append(Source(item.role, key, figurine.media_type, figurine.width, figurine.height))
            except NotFound:
                return None
        return tuple(found)

    async def _picture(self, source: Source) -> ImageInput:
        with telemetry.span("storage read"):
            data = await self._storage.read(source.key)
        return ImageInput(
            role=source.role, media_type=source.media_type, data=data, width=source.width, height=source.height
        )

    async def _wait_for(self, claimed: Claimed, step: Step, accepted: Accepted) -> None:
        """The provider has queued the job: keep its handle before anything else, and come back."""
        try:
            async with self._database.transaction() as tx:
                await repository.accept_attempt(tx, step.attempt.id, accepted.handle)
                job = await repository.lock_unfinished(tx, step.job.id)
                if job is None:
                    raise LeaseLost()
                await self._wait(tx, job, reason="provider_queue", retries=job.retries, model_index=job.model_index)
                await self._outbox.postpone(tx, claimed, tx.now + accepted.poll_after)
        except LeaseLost:
            await self._forget(step.provider, accepted.handle)
            await self._close(step, ProviderUnavailable(reason="canceled", possibly_charged=True))
            raise

    async def _conclude(self, claimed: Claimed, step: Step, outcome: Outcome) -> None:
        telemetry.outcomes.add(1, {"provider": step.provider.name, "outcome": kind(outcome)})
        try:
            decision = decide(outcome)
            if isinstance(outcome, Succeeded):
                try:
                    pictures = [await self._rendered(step, image) for image in outcome.images[: step.wanted]]
                    await self._deliver(claimed, step, outcome, pictures)
                    return
                except LeaseLost:
                    raise
                except StorageUnavailable:
                    decision = Retry("storage_unavailable", None)
                except StatuetteError as error:
                    if error.retryable:
                        decision = Retry("pixels_unavailable", None)
                    else:
                        outcome = NoImage(reason="undecodable_picture", usage=outcome.usage)
                        decision = decide(outcome)
            await self._dispose(claimed, step, outcome, decision)
        except LeaseLost:
            # The job ended or went to another worker; what this call cost is on record all the same.
            await self._close(step, outcome)
            raise

    async def _deliver(self, claimed: Claimed, step: Step, outcome: Outcome, pictures: list[RenderedPicture]) -> None:
        """Rows and deadlines, then bytes, then everything that follows from them, in one transaction."""
        async with self._database.transaction() as tx:
            await self._held(tx, claimed, step)
            ids = [
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
        for figurine_id, picture in zip(ids, pictures, strict=True):
            await self._store(step.brand.id, figurine_id, picture)
        try:
            await self._complete(claimed, step, outcome, ids)
        except LeaseLost:
            # Their rows may be gone already, and with them the deadlines that would have removed these bytes.
            await self._unstore(step.brand.id, ids)
            raise

    async def _complete(self, claimed: Claimed, step: Step, outcome: Outcome, ids: list[str]) -> None:
        async with self._database.transaction() as tx:
            job = await self._held(tx, claimed, step)
            await self._close_in(tx, job, step, outcome)
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
                job = await repository.lock_unfinished(tx, job.id) or job
                await self._outbox.finish(tx, claimed)
                await self._generations.end(tx, job, state=State.succeeded, reason=None, delivered=have)
            else:
                await self._outbox.postpone(tx, claimed, tx.now)

    async def _dispose(self, claimed: Claimed, step: Step, outcome: Outcome, decision: Decision) -> None:
        """What follows when no picture was kept."""
        async with self._database.transaction() as tx:
            job = await self._held(tx, claimed, step)
            await self._close_in(tx, job, step, outcome)
            job = await repository.lock_unfinished(tx, job.id) or job
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
                        await self._end(tx, claimed, job, State.failed, f"{retry.reason}_too_long", have)
                        return
                    await self._wait(tx, job, reason=retry.reason, retries=job.retries + 1, model_index=job.model_index)
                    await self._outbox.postpone(tx, claimed, tx.now + delay)
                case NextModel():
                    await self._fall_through(tx, claimed, job, f"{step.provider.name}/{step.model.id}", have)
                case End(state, reason):
                    await self._end(tx, claimed, job, state, reason, have)

    async def _end(
        self, tx: Transaction, claimed: Claimed, job: GenerationRow, state: State, reason: str, have: int
    ) -> None:
        await self._outbox.finish(tx, claimed)
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
            await self._end(tx, claimed, job, State.failed, "no_model_left", have)
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

    async def _rendered(self, step: Step, image: GeneratedImage) -> RenderedPicture:
        with telemetry.span("render"):
            return await self._pixels.render(image.data, provenance=f"{step.provider.name}/{step.model.id}")

    async def _store(self, brand_id: str, figurine_id: str, picture: RenderedPicture) -> None:
        with telemetry.span("storage put"):
            sizes = {"original": picture.original, **{str(edge): encoded for edge, encoded in picture.sizes.items()}}
            # Each waits for the disk, so they wait together. All are awaited even if one fails: none outlives the step.
            puts = [
                self._put(figurines.object_key(brand_id, figurine_id, size), encoded) for size, encoded in sizes.items()
            ]
            for done in await asyncio.gather(*puts, return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done

    async def _put(self, key: str, encoded: EncodedPicture) -> None:
        for pause in _PAUSES_BETWEEN_PUTS:
            try:
                await self._storage.put(key, encoded.data, media_type=encoded.media_type)
                return
            except StorageUnavailable:
                await self._database.clock.sleep(pause)
        await self._storage.put(key, encoded.data, media_type=encoded.media_type)

    async def _unstore(self, brand_id: str, figurine_ids: list[str]) -> None:
        try:
            await self._storage.delete_many(
                [figurines.object_key(brand_id, found, size) for found in figurine_ids for size in figurines.SIZES]
            )
        except StorageUnavailable:
            async with self._database.transaction() as tx:
                for figurine_id in figurine_ids:
                    await findings.raise_finding(tx, code="orphan_objects", subject=figurine_id, brand_id=brand_id)

    async def _close(self, step: Step, outcome: Outcome) -> None:
        async with self._database.transaction() as tx:
            await self._close_in(tx, step.job, step, outcome)

    async def _close_in(self, tx: Transaction, job: GenerationRow, step: Step, outcome: Outcome) -> None:
        cost = cost_micros(outcome, step.attempt.reserved_micros)
        usage = getattr(outcome, "usage", None)
        if await repository.close_attempt(
            tx,
            step.attempt.id,
            state="finished",
            outcome=kind(outcome),
            reason=detail(outcome),
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            cost_micros=cost,
        ):
            telemetry.cost_micros.add(cost, {"currency": job.currency, "provider": step.provider.name})
            await self._settle(tx, job, step.attempt, cost)

    async def _settle(self, tx: Transaction, job: GenerationRow, attempt: AttemptRow, cost: int) -> None:
        """Move the attempt's part of the reservation to what is spent. An ended job's was given back already."""
        unfinished = await repository.lock_unfinished(tx, job.id)
        part = min(attempt.reserved_micros, unfinished.reserved_micros) if unfinished is not None else 0
        if part:
            await repository.change_reserve(tx, job.id, -part)
        await budget.settle(tx, brand_id=job.brand_id, day=job.reserved_day, reserved_micros=part, spent_micros=cost)

    async def _forget(self, provider: ImageProvider, handle: str) -> None:
        """Best effort: the job is over for us, so the provider may drop it."""
        try:
            await _drop(provider, handle)
        except Exception:  # whatever a provider does here, our side is over
            _log.warning("provider_not_told", extra={"facts": {"provider": provider.name}})


async def _drop(provider: ImageProvider, handle: str) -> None:
    """Have the provider stop and forget. Carries a handle and no data of anybody."""
    async with asyncio.timeout(_LETTING_GO_SECONDS):
        try:
            await provider.cancel(handle)
            await provider.erase(handle)
        except UnknownHandle:
            return


def _unsent(handle: str | None, reason: str, retry_after: timedelta | None = None) -> Submission:
    """Nothing left the platform: later again. A job that waits at its provider goes on waiting there."""
    if handle is not None:
        return Accepted(handle, retry_after or _ASK_AGAIN_AFTER)
    return Finished(ProviderUnavailable(reason=reason, retry_after=retry_after))


def _healthy(submission: Submission) -> bool:
    return not (isinstance(submission, Finished) and isinstance(submission.outcome, ProviderUnavailable))


def _seed(attempt_id: str) -> int:
    return int.from_bytes(hashlib.sha256(attempt_id.encode()).digest()[:4], "big")
