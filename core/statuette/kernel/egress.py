"""The only way to a provider.

A call needs a live permit that covers its purpose and categories, a processor that declares both, and money reserved for
its worst case. It gets a time limit, a place among a bounded number of calls, a breaker and a span.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from opentelemetry.trace import SpanKind

from statuette.errors import StatuetteError
from statuette.kernel import telemetry
from statuette.kernel.permit import Permit
from statuette.policy.enforcers import enforces
from statuette.ports.processor import Processor
from statuette.values import Clock

T = TypeVar("T")


class EgressDenied(StatuetteError):
    """No permit, no declaration or no money covers this call. Final: nothing left the platform."""

    code = "egress_denied"
    summary = "This call is not permitted."


class PermitExpired(EgressDenied):
    """The permit ran out before the call's turn came. Retryable with a fresh one: nothing left the platform."""

    code = "permit_expired"
    retryable = True
    summary = "The permit for this call has expired."


class CallTimedOut(StatuetteError):
    """The provider did not answer in time; the call may have been paid for."""

    code = "provider_timeout"
    retryable = True
    summary = "The provider did not answer in time."


class CircuitOpen(StatuetteError):
    """The provider failed too often in a row; attribute `retry_after_seconds` says when it is tried again."""

    code = "provider_circuit_open"
    retryable = True
    summary = "The provider is not being called for a moment."


class Breaker:
    """Opens after `threshold` failures in a row, for `rest`; then lets one call through to see."""

    def __init__(self, clock: Clock, threshold: int = 8, rest: timedelta = timedelta(seconds=20)) -> None:
        self._clock = clock
        self._threshold = threshold
        self._rest = rest
        self._failures = 0
        self._open_until: datetime | None = None

    def check(self) -> None:
        """Raise `CircuitOpen` while resting."""
        now = self._clock.now()
        if self._open_until is not None and now < self._open_until:
            raise CircuitOpen(retry_after_seconds=(self._open_until - now).total_seconds())
        if self._open_until is not None:
            # One caller goes ahead; the others rest on until it has reported.
            self._open_until = now + self._rest

    def report(self, *, ok: bool) -> None:
        if ok:
            self._failures, self._open_until = 0, None
            return
        self._failures += 1
        if self._failures >= self._threshold:
            self._open_until = self._clock.now() + self._rest


class Egress:
    """
    Args:
        is_live: whether the brand of that id takes real people's data.
    """

    def __init__(
        self, clock: Clock, *, concurrency: int, is_live: Callable[[str], bool] = lambda brand_id: True
    ) -> None:
        self._clock = clock
        self._is_live = is_live
        self._concurrency = concurrency
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._breakers: dict[str, Breaker] = {}

    async def call(
        self,
        run: Callable[[], Awaitable[T]],
        *,
        processor: Processor,
        permit: Permit,
        purpose: str,
        categories: frozenset[str],
        timeout: timedelta,
        needed_micros: int,
        reserved_micros: int,
        healthy: Callable[[T], bool],
    ) -> T:
        """Make one call.

        Args:
            run: the call; started at most once.
            needed_micros: its worst-case cost.
            reserved_micros: what is reserved for it.
            healthy: whether an answer counts as a sign of life for the breaker.

        Raises:
            EgressDenied: final, nothing left; as `PermitExpired` retryable.
            CircuitOpen: retryable, nothing left.
            CallTimedOut: retryable, possibly paid.
        """
        self._check(processor, permit, purpose, categories, needed_micros, reserved_micros)
        breaker = self._breakers.setdefault(processor.id, Breaker(self._clock))
        breaker.check()
        slot = self._slots.setdefault(processor.id, asyncio.Semaphore(self._concurrency))
        async with slot:
            # A permit lives for seconds and the wait for a slot may have been longer.
            self._check(processor, permit, purpose, categories, needed_micros, reserved_micros)
            with telemetry.span(
                f"egress {processor.id}", SpanKind.CLIENT, **{"processor": processor.id, "privacy.purpose": purpose}
            ):
                try:
                    answer = await self._measured(run, processor.id, timeout)
                except Exception:
                    breaker.report(ok=False)
                    raise
        breaker.report(ok=healthy(answer))
        return answer

    async def _measured(self, run: Callable[[], Awaitable[T]], processor_id: str, timeout: timedelta) -> T:
        """Raises `CallTimedOut`, and what the call raises."""
        labels = {"processor": processor_id}
        began = self._clock.monotonic_seconds()
        try:
            return await asyncio.wait_for(run(), timeout.total_seconds())
        except BaseException as error:
            labels["error.type"] = type(error).__name__
            if isinstance(error, TimeoutError):
                raise CallTimedOut() from None
            raise
        finally:
            telemetry.provider_seconds.record(self._clock.monotonic_seconds() - began, labels)

    def _check(
        self,
        processor: Processor,
        permit: Permit,
        purpose: str,
        categories: frozenset[str],
        needed_micros: int,
        reserved_micros: int,
    ) -> None:
        if not permit.covers(purpose, categories, self._clock.now()):
            expired = permit.covers(purpose, categories, permit.issued_at)
            raise (PermitExpired if expired else EgressDenied)("No live permit covers this call.", purpose=purpose)
        self._refuse_other_use(processor, permit, purpose, categories)
        if permit.receivers is not None and processor.id not in permit.receivers:
            raise EgressDenied(
                f"No rule that was published lets the processor {processor.id} have this.", purpose=purpose
            )
        if needed_micros > reserved_micros:
            raise EgressDenied("The call's worst case is not reserved.", processor=processor.id)

    @enforces("processor.egress")
    def _refuse_other_use(self, processor: Processor, permit: Permit, purpose: str, categories: frozenset[str]) -> None:
        """Nothing goes to whoever is not named for this, or may use it for purposes of their own."""
        if purpose not in processor.purposes or not categories <= set(processor.categories):
            raise EgressDenied(
                f"The processor {processor.id} does not declare this purpose and these categories.",
                purpose=purpose,
                categories=sorted(categories),
            )
        if processor.own_use is not None and self._is_live(permit.brand_id):
            raise EgressDenied(
                f"The processor {processor.id} may use data for purposes of its own: {processor.own_use}",
                purpose=purpose,
                cure="`statuette doctor` names what to change at the provider. Or keep the brand in test mode.",
            )
