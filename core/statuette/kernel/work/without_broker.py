"""Work goes on without a broker: what nobody was told of, or nobody took, is looked up in the outbox, less promptly.

Whatever the broker says: it may answer and refuse writes, it may be there for this process and away for the one that hints, it
may have lost everything. An item that has waited for longer than any hint takes tells all of that.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from statuette.kernel.tasks import ended
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.workers import Workers

_LOOK_EVERY_SECONDS = 2.0
_HINTED_WITHIN = timedelta(seconds=1)
_log = logging.getLogger(__name__)


class WithoutBroker:
    """Looks for work of its own whenever these workers have a hand free."""

    def __init__(self, outbox: Outbox, workers: Workers) -> None:
        self._outbox = outbox
        self._workers = workers
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._forever(), name="without_broker")

    async def stop(self) -> None:
        """Take up nothing more."""
        await ended(self._looking)

    async def _forever(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            try:
                await self._look()
            except Exception as error:
                _log.warning("outbox_unavailable", extra={"facts": {"error": type(error).__name__}})

    async def _look(self) -> None:
        for queue, item_ids in (await self._outbox.overlooked(self._workers.free(), _HINTED_WITHIN)).items():
            _log.info("found_without_hint", extra={"facts": {"queue": queue, "items": len(item_ids)}})
            for item_id in item_ids:
                self._workers.take_up(queue, item_id)
