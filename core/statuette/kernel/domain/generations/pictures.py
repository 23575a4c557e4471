"""Pictures between the store, the pixel children and a job."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from statuette.kernel import telemetry
from statuette.kernel.db.database import Database
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.generations.step import Source
from statuette.kernel.enforcement.leftovers import Leftovers
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.pixels.results import EncodedPicture, RenderedPicture
from statuette.ports.image import GeneratedImage, ImageInput
from statuette.ports.storage import Storage, StorageUnavailable

# The pictures are paid for: a store that stumbles is asked again before they are given up.
_PAUSES_BETWEEN_PUTS = tuple(timedelta(seconds=pause) for pause in (0.2, 1, 4, 10, 20, 20))


class Pictures:
    def __init__(self, database: Database, storage: Storage, leftovers: Leftovers, pixels: PixelPool) -> None:
        self._database = database
        self._storage = storage
        self._leftovers = leftovers
        self._pixels = pixels

    async def read(self, source: Source) -> ImageInput:
        """An input picture. Raises `ObjectNotFound`, `StorageUnavailable`."""
        with telemetry.span("storage read"):
            data = await self._storage.read(source.key)
        return ImageInput(
            role=source.role, media_type=source.media_type, data=data, width=source.width, height=source.height
        )

    async def rendered(self, image: GeneratedImage, provenance: str) -> RenderedPicture:
        """What a provider made, decoded in a child process and marked. Raises as `PixelPool.render`."""
        with telemetry.span("render"):
            return await self._pixels.render(image.data, provenance=provenance)

    async def store(self, brand_id: str, figurine_id: str, picture: RenderedPicture) -> None:
        """Store every size, or raise `StorageUnavailable`."""
        with telemetry.span("storage put"):
            sizes = {"original": picture.original, **{str(edge): encoded for edge, encoded in picture.sizes.items()}}
            # Each waits for the disk, so they wait together. All are awaited even if one fails: none outlives the step.
            puts = [
                self._put(figurines.object_key(brand_id, figurine_id, size), encoded) for size, encoded in sizes.items()
            ]
            for done in await asyncio.gather(*puts, return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done

    async def _put(self, key: str, encoded: EncodedPicture) -> None:
        for pause in _PAUSES_BETWEEN_PUTS:
            try:
                await self._storage.put(key, encoded.data, media_type=encoded.media_type)
                return
            except StorageUnavailable:
                await self._database.clock.sleep(pause)
        await self._storage.put(key, encoded.data, media_type=encoded.media_type)

    async def remove(self, brand_id: str, figurine_ids: list[str]) -> None:
        """Take stored pictures away again."""
        await self._leftovers.remove(figurines.object_prefix(brand_id, found) for found in figurine_ids)
