"""Making calls: through the egress, each able to be stopped, whatever the provider does turned into a submission."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import timedelta

from statuette.errors import ConfigurationError
from statuette.kernel.domain.generations.pictures import Pictures
from statuette.kernel.domain.generations.service import PURPOSE, categories
from statuette.kernel.domain.generations.step import Step
from statuette.kernel.domain.styles import prompt
from statuette.kernel.egress import CallTimedOut, CircuitOpen, Egress, EgressDenied, PermitExpired
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.weights import WeightedSemaphore
from statuette.ports.image import (
    Accepted,
    Finished,
    ImageProvider,
    ImageRequest,
    NoImage,
    ProviderUnavailable,
    Rejected,
    Submission,
    UnknownHandle,
    Usage,
)
from statuette.ports.storage import ObjectNotFound, StorageUnavailable
from statuette.values import CostMicros

_ASK_AGAIN_AFTER = timedelta(seconds=5)
_LETTING_GO_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Calls:
    """The calls of this process.

    Args:
        photo_bytes: what the input pictures of all calls may take together.
    """

    def __init__(self, egress: Egress, plugins: PluginRegistry, pictures: Pictures, *, photo_bytes: int) -> None:
        self._egress = egress
        self._plugins = plugins
        self._pictures = pictures
        # Usually one a job; more when a worker was away for longer than its lease and does not know it yet.
        self._calls: defaultdict[str, set[asyncio.Task[Submission]]] = defaultdict(set)
        self._at_work: set[str] = set()
        self._stopped: set[str] = set()
        self._photo_bytes = WeightedSemaphore(photo_bytes)

    @contextmanager
    def at_work(self, generation_id: str) -> Iterator[None]:
        """A step of the job is under way: `stop` keeps its call from being made."""
        self._at_work.add(generation_id)
        try:
            yield
        finally:
            self._at_work.discard(generation_id)
            self._stopped.discard(generation_id)

    async def stop(self, generation_id: str) -> None:
        """The job has ended: do not wait for its call, and do not make it any more."""
        for call in self._calls.get(generation_id, ()):
            call.cancel()
        if generation_id in self._at_work:
            self._stopped.add(generation_id)

    def room(self, input_bytes: int) -> AbstractAsyncContextManager[None]:
        """Wait until the inputs of one more call fit, and keep their place."""
        return self._photo_bytes.holding(input_bytes)

    async def make(self, step: Step) -> Submission:
        """Ask the provider. Whatever it does becomes a submission. Done within `room`."""
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
                await forget(step.provider, handle)
            return Finished(ProviderUnavailable(reason="canceled", possibly_charged=True))
        finally:
            self._calls[step.job.id].discard(call)
            if not self._calls[step.job.id]:
                del self._calls[step.job.id]

    async def _request(self, step: Step) -> ImageRequest:
        style = self._plugins.style(step.job.style, step.job.style_version)
        variables = step.job.variable_map()
        pictures = [await self._pictures.read(source) for source in step.sources]
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


async def forget(provider: ImageProvider, handle: str) -> None:
    """Best effort: the job is over for us, so the provider may drop it."""
    try:
        await drop(provider, handle)
    except Exception:  # whatever a provider does here, our side is over
        _log.warning("provider_not_told", extra={"facts": {"provider": provider.name}})


async def drop(provider: ImageProvider, handle: str) -> None:
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
