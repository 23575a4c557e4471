"""Request bodies within bounds of size and time, for every route: who reads one never has to think of either."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar.types import Receive

from statuette.errors import InvalidInput, StatuetteError
from statuette.values import Clock


class RequestTooLarge(InvalidInput):
    """Attribute `max_bytes`. Final."""

    code = "request_too_large"
    summary = "The body is too large."


class SenderTooSlow(StatuetteError):
    """The body did not arrive in time. Retryable."""

    code = "sender_too_slow"
    retryable = True
    summary = "The body did not arrive in time."


class SenderLeft(InvalidInput):
    """The connection ended before the body did; nobody is there to read the answer. Retryable."""

    code = "sender_left"
    retryable = True
    summary = "The connection ended in the middle of the body."


class BoundedBody:
    """A `receive` that hands on a body of at most `max_bytes` that arrives by `until_seconds` of the clock.

    Its calls raise `RequestTooLarge`, `SenderTooSlow` or `SenderLeft` until the body is complete or `answered` is set;
    afterwards they wait for the end of the connection, however long that takes. `failed` says that one has raised.
    """

    def __init__(self, receive: Receive, clock: Clock, *, max_bytes: int, until_seconds: float) -> None:
        self._receive = receive
        self._clock = clock
        self._max_bytes = max_bytes
        self._until_seconds = until_seconds
        self._received_bytes = 0
        self.complete = False
        self.failed = False
        self.answered = False

    async def __call__(self) -> Any:
        if self.complete or self.answered:
            return await self._receive()
        try:
            return await self._within_bounds()
        except StatuetteError:
            self.failed = True
            raise

    async def _within_bounds(self) -> Any:
        left_seconds = max(0.0, self._until_seconds - self._clock.monotonic_seconds())
        try:
            message: Any = await asyncio.wait_for(self._receive(), left_seconds)
        except TimeoutError:
            raise SenderTooSlow() from None
        if message["type"] == "http.disconnect":
            raise SenderLeft()
        self._received_bytes += len(message.get("body", b""))
        if self._received_bytes > self._max_bytes:
            raise RequestTooLarge(max_bytes=self._max_bytes)
        self.complete = not message.get("more_body", False)
        return message

    async def linger(self, *, max_bytes: int, seconds: float) -> None:
        """Read on a little about an answer that comes early: closing on unread bytes can take the answer with it."""
        try:
            async with asyncio.timeout(seconds):
                while not self.complete and max_bytes > 0:
                    message: Any = await self._receive()
                    max_bytes -= len(message.get("body", b""))
                    self.complete = not message.get("more_body", False)
        except TimeoutError:
            return
