"""Signals of a process's supervisor, turned into an orderly stop."""

from __future__ import annotations

import asyncio
import os
import signal


class Stop:
    """Set by SIGTERM or SIGINT. A supervisor may send it twice, to the process and to its group: once more changes nothing,
    but an impatient third time ends the process at once."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._times = 0
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._ask)

    async def wait(self) -> None:
        await self._asked.wait()

    def _ask(self) -> None:
        self._times += 1
        if self._times > 2:
            os._exit(1)
        self._asked.set()
