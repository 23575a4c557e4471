"""Ending what runs in the background."""

from __future__ import annotations

import asyncio
from typing import Any

_ASK_AGAIN_SECONDS = 0.5


async def ended(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and wait until they are over. What they raise is theirs.

    A cancellation can get lost on its way: a client that closes a connection just then may take it for the connection's. So it
    is said again until it is heard.
    """
    left = {task for task in tasks if task is not None and not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_ASK_AGAIN_SECONDS)
