"""Takes events to the platform's address for them, in the background: no action waits for it, and none fails with it."""

from __future__ import annotations

import asyncio
import http.client
import logging
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from statuette.ports.payment import PaymentUnavailable
from statuette.values import Clock
from statuette_sandbox_pay.books import Books, OpenEvent
from statuette_sandbox_pay.signing import Seal

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 5.0
_AT_ONCE = 50
_MOST_ATTEMPTS = 20
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30))


class Courier:
    """Delivers what is in the books, oldest first.

    After a failure it pauses, three times at most, and not for longer than until the next action, which has it begin anew.
    What twenty attempts could not deliver is left to whoever asks for what happened.

    Args:
        address: of the place for events, without the brand.
    """

    def __init__(self, books: Books, seal: Callable[[str], Seal], address: str, clock: Clock) -> None:
        self._books = books
        self._seal = seal
        self._address = address
        self._clock = clock
        self._nudged = asyncio.Event()
        self._round: asyncio.Task[None] | None = None

    def nudge(self) -> None:
        """There may be something to deliver."""
        if self._round is None or self._round.done() or self._round.get_loop() is not asyncio.get_running_loop():
            self._nudged = asyncio.Event()
            self._round = asyncio.create_task(self._deliver(self._nudged), name="sandbox_pay events")
        self._nudged.set()

    async def idle(self) -> None:
        """Return when nothing is being delivered."""
        if self._round is not None and not self._round.done():
            await asyncio.wait([self._round])

    async def aclose(self) -> None:
        ending, self._round = self._round, None
        if ending is not None and ending.get_loop() is asyncio.get_running_loop():
            ending.cancel()
            await asyncio.wait([ending])

    async def _deliver(self, nudged: asyncio.Event) -> None:
        try:
            while nudged.is_set():
                nudged.clear()
                await self._round_of_attempts(nudged)
        except PaymentUnavailable:  # the books are closed or locked; the next action tries again
            _log.info("sandbox_events_waiting")

    async def _round_of_attempts(self, nudged: asyncio.Event) -> None:
        pauses = iter(_PAUSES)
        while events := await asyncio.to_thread(self._books.undelivered, _AT_ONCE, _MOST_ATTEMPTS):
            if await self._take(events):
                continue
            pause = next(pauses, None)
            if pause is None:
                return
            waiting = {asyncio.ensure_future(self._clock.sleep(pause)), asyncio.ensure_future(nudged.wait())}
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
            if nudged.is_set():
                return

    async def _take(self, events: list[OpenEvent]) -> bool:
        """Whether all of them arrived; those after the first that did not are left for later."""
        for event in events:
            arrived = await asyncio.to_thread(self._post, event)
            await asyncio.to_thread(self._books.attempted, event.place, delivered=arrived)
            if not arrived:
                return False
        return True

    def _post(self, event: OpenEvent) -> bool:
        parts = urlsplit(self._address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(
                "POST", f"{parts.path}/{event.brand}", event.body, self._seal(event.brand).headers(event.body)
            )
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
