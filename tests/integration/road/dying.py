"""A process that enforces one deadline and is killed at a step of it, counted over everything that lasts beyond it."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from statuette.kernel.app import compose
from statuette.kernel.enforcement import deadlines
from statuette.kernel.enforcement.at_once import AtOnce
from statuette.kernel.enforcement.due import ACTOR
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import Settings
from statuette.testing import FrozenClock
from statuette.testing.outbox_mailer import RecordingMailer

_OF_THE_STORE = ("delete_many", "purge_versions", "head")


class Steps:
    """Before and after each operation that lasts. At the chosen one the process is gone, with no chance to clean up."""

    def __init__(self, dies_at: int) -> None:
        self._left = dies_at

    def pass_one(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def watch(self, platform: Platform) -> None:
        storage, cipher = type(platform.plugins.storage), type(platform.cipher)
        for owner, names in ((storage, _OF_THE_STORE), (cipher, ("destroy", "destroyed"))):
            for name in names:
                setattr(owner, name, self._around(getattr(owner, name)))
        storage.list = self._around_list(storage.list)  # type: ignore[method-assign]
        engine = type(platform.database.engine)
        engine.writing = self._around_writing(engine.writing)  # type: ignore[method-assign]

    def _around(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        async def watched(owner: Any, *args: Any, **named: Any) -> Any:
            self.pass_one()
            result = await operation(owner, *args, **named)
            self.pass_one()
            return result

        return watched

    def _around_list(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        async def watched(owner: Any, prefix: str) -> AsyncIterator[Any]:
            self.pass_one()
            async for found in operation(owner, prefix):
                yield found

        return watched

    def _around_writing(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        @asynccontextmanager
        async def watched(owner: Any) -> AsyncIterator[Any]:
            async with operation(owner) as connection:
                yield connection
                self.pass_one()  # all is written, nothing is committed
            self.pass_one()

        return watched


def enforce(settings: Settings, at: datetime, dies_at: int) -> None:
    """Enforce what is due at a moment, and die at a step, counted from 0. Ends by itself if there are not so many."""
    _run(_enforce(settings, at, dies_at))


def erase(settings: Settings, at: datetime, account_id: str, dies_at: int) -> None:
    """Erase an account whose deadline has come, with all that is of it, and die at a step of that."""
    _run(_erase(settings, at, account_id, dies_at))


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # threads of libraries are waited for by nobody


async def _enforce(settings: Settings, at: datetime, dies_at: int) -> None:
    async with _platform(settings, at) as platform:
        Steps(dies_at).watch(platform)
        await platform.enforcer.hand_out()
        async with platform.database.read() as reader:
            items = await reader.rows(
                "SELECT w.id FROM work_item w JOIN deadline d ON d.id = w.subject_id"
                " WHERE w.actor = :actor AND w.lease IS NULL AND d.due_at = :at",
                actor=ACTOR,
                at=at,
            )
        for item in items:
            claimed = await platform.outbox.claim(item["id"])
            assert claimed is not None
            await platform.enforcer.run(claimed)
        await platform.evidence.seal()


async def _erase(settings: Settings, at: datetime, account_id: str, dies_at: int) -> None:
    async with _platform(settings, at) as platform:
        async with platform.database.read() as reader:
            deadline_id = await deadlines.of_rule(reader, account_id, "account.erase")
        assert deadline_id is not None
        at_once = AtOnce(platform.database, platform.outbox, platform.enforcer)
        Steps(dies_at).watch(platform)
        await at_once.enforce(deadline_id)
        await platform.evidence.seal()


@asynccontextmanager
async def _platform(settings: Settings, at: datetime) -> AsyncIterator[Platform]:
    clock = FrozenClock(at)
    plugins = PluginRegistry.survey(settings, clock, environment={})
    plugins.mailers["recording"] = RecordingMailer()
    platform = compose(settings, clock, plugins)
    await platform.database.open()
    await platform.presence.start("worker")
    yield platform
    await platform.presence.stop()
    await platform.database.close()
    await platform.plugins.aclose()
