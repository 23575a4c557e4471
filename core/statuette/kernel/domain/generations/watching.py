"""Watching a job: its events as they come, or its end.

What is told is read from the durable rows. Signals only say when to look; without them, and while the database is away, watchers
look by themselves, each at a moment of its own, so that thousands of them are no crowd.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from statuette.errors import RateLimited, Unavailable
from statuette.kernel.domain.generations.outcomes import UNFINISHED, State
from statuette.kernel.domain.generations.schemas import GenerationView
from statuette.kernel.events.log import EventRow, events_after
from statuette.kernel.platform import Platform

_LOOK_AGAIN_SECONDS = 10.0
_LOOK_AGAIN_DEAF_SECONDS = 2.0
_HEARTBEAT_SECONDS = 15.0
_RETURN_WITHIN_MILLISECONDS = (1000, 3000)
_ENDS = {f"generation.{state.value}" for state in State if state not in UNFINISHED}


async def ended(
    platform: Platform,
    generation_id: str,
    account_id: str,
    look: Callable[[], Awaitable[GenerationView]],
    wait_seconds: float,
) -> GenerationView:
    """The job once it has ended, or as it is when the wait is over; at once if nobody else may wait here."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_seconds
    try:
        with platform.hub.watching(generation_id, account_id) as woken:
            while True:
                woken.clear()
                view = await look()
                left = until - loop.time()
                if view.final or left <= 0 or platform.lifecycle.draining:
                    return view
                await _woken_or(woken, min(left, _patience(platform)))
    except (RateLimited, Unavailable):
        # Waiting is a preference (https://www.rfc-editor.org/rfc/rfc7240#section-4.3).
        return await look()


async def stream(
    platform: Platform, brand_id: str, account_id: str, generation_id: str, after: int
) -> AsyncIterator[bytes]:
    """Events as `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    yield b"retry: %d\n\n" % random.randint(*_RETURN_WITHIN_MILLISECONDS)  # noqa: S311 - spreads a crowd, hides nothing
    loop = asyncio.get_running_loop()
    silent_since = loop.time()
    with platform.hub.watching(generation_id, account_id) as woken:
        while True:
            woken.clear()
            news = await _news(platform, brand_id, generation_id, after)
            for row in news or ():
                after = row.seq
                yield _event(row)
                silent_since = loop.time()
                if row.type in _ENDS:
                    return
            if platform.lifecycle.draining:
                return  # the client comes back, to another process, and goes on where it was
            if loop.time() - silent_since >= _HEARTBEAT_SECONDS:
                yield b": still here\n\n"
                silent_since = loop.time()
            await _woken_or(woken, _patience(platform, certain=news is not None))


async def _news(platform: Platform, brand_id: str, generation_id: str, after: int) -> list[EventRow] | None:
    """What is new; None while the database is away, which is no reason to lose the connection."""
    try:
        async with platform.database.read() as reader:
            return await events_after(reader, brand_id, generation_id, after)
    except Unavailable:
        return None


def _event(row: EventRow) -> bytes:
    body = msgspec.json.encode(
        {"seq": row.seq, "type": row.type, "at": row.created_at, "data": msgspec.Raw(row.data.encode())}
    )
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.seq, row.type.encode(), body)


def _patience(platform: Platform, *, certain: bool = True) -> float:
    """How long to wait for a signal before looking without one.

    Args:
        certain: whether the last look told anything.
    """
    longest = _LOOK_AGAIN_SECONDS if certain and platform.signals.hears else _LOOK_AGAIN_DEAF_SECONDS
    return longest * random.uniform(0.75, 1.0)  # noqa: S311


async def _woken_or(woken: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(woken.wait(), seconds)
    except TimeoutError:
        return
