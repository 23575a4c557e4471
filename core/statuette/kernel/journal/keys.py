"""A store of keys that was restored from its own backup brings destroyed keys back: they are destroyed again.

The database remembers the last key whose destruction was verified. A store that does not know of it is older than that, and
then every key that the journal tells of goes once more, unless its record is still there. The remembered one goes last, so
that a kill in between begins it all again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from statuette.dataset import Dataset
from statuette.kernel.db.database import Database
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.journal import marks
from statuette.kernel.journal.entries import Erasing
from statuette.kernel.journal.journal import Journal
from statuette.kernel.work import findings

RESTORED = "key_store_restored"
_log = logging.getLogger(__name__)


class KeyReplay:
    """Compares the store of keys with the database and the journal."""

    def __init__(
        self, database: Database, journal: Journal, cipher: FieldCipher, datasets: Mapping[str, Dataset]
    ) -> None:
        self._database = database
        self._journal = journal
        self._cipher = cipher
        self._datasets = datasets

    async def catch_up(self) -> int:
        """Destroy again what a restore brought back; returns how many keys were looked at, 0 if there was no restore. A duty.

        Raises:
            KeyStoreUnavailable, StorageUnavailable: retryable. JournalUnreadable: final.
        """
        async with self._database.read() as reader:
            last = await marks.last_destroyed(reader)
        if last is None or await self._cipher.never_again(last.destroyed):
            return 0
        _log.warning(RESTORED)
        looked_at = 1
        async for place in self._journal.places(self._database.clock.now() - self._journal.kept):
            for entry in await self._journal.entries(place):
                if isinstance(entry, Erasing) and entry.keys and not await self._still_there(entry):
                    for subject in entry.keys:
                        if subject != last.destroyed:
                            await self._cipher.destroy(subject)
                            looked_at += 1
        await self._cipher.destroy(last.destroyed)
        async with self._database.transaction() as tx:
            detail = f"keys={looked_at}"
            await findings.raise_finding(tx, code=RESTORED, subject="keys", detail=detail, brand_id=None)
        return looked_at

    async def _still_there(self, entry: Erasing) -> bool:
        """Whether the erasure has not happened after all: then its deadline does what is to be done."""
        dataset = self._datasets.get(entry.dataset)
        if dataset is None:
            return False
        async with self._database.transaction() as tx:
            closure: Any = await dataset.handler.closure(tx, entry.record_id)
        return closure is not None
