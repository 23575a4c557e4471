"""Whether anything is left of photos that have gone: looked at in the store itself."""

from __future__ import annotations

from statuette.kernel.db.database import Database
from statuette.kernel.domain.uploads import repository, service
from statuette.kernel.probes import Checked
from statuette.ports.storage import Storage

_SAMPLED = 20


class UploadProbes:
    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def derivatives(self) -> Checked:
        """Nothing lies where the photos were that went last: no copy in another size, no part."""
        async with self._database.read() as reader:
            gone = await repository.newest_gone(reader, service.DATASET, _SAMPLED)
        for brand_id, upload_id in gone:
            async for _ in self._storage.list(service.object_prefix(brand_id, upload_id)):
                return Checked(
                    "derivatives",
                    False,
                    f"something is left of {upload_id}, which is gone",
                    "The daily reconciliation removes it; find out what wrote it.",
                )
        return Checked("derivatives", True, f"{len(gone)} photos looked for")
