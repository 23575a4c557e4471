"""The storage port on a bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from statuette import Clock
from statuette.ports.processor import Processor
from statuette.ports.storage import (
    ObjectInfo,
    Storage,
    StorageUnavailable,
    StoreCapabilities,
    StoredVersion,
    check_key,
    check_prefix,
)
from statuette_s3.bucket import Bucket, ObjectChanged
from statuette_s3.config import S3Config
from statuette_s3.history import History
from statuette_s3.probe import as_configuration_errors, try_out
from statuette_s3.signing import Signer
from statuette_s3.versions import Versions

# A stream fetches parts of this size whole, so that a slow reader holds up no connection of ours.
_PART_BYTES = 1024 * 1024


class S3Storage(Storage):
    """Objects in one bucket. S3 itself is consistent: whoever reads after a write or a deletion sees it."""

    def __init__(self, config: S3Config, clock: Clock, name: str = "s3") -> None:
        self.name = name
        self._config = config
        self._clock = clock
        self._bucket = Bucket(config, clock)
        self._versions = Versions(config)
        self._versioned = config.versioned
        self._signer = Signer(
            bucket_url=config.bucket_url,
            region=config.signing_region,
            access_key_id=config.access_key_id or "",
            secret_access_key=config.secret_access_key or "",
            session_token=config.session_token or None,
        )

    @property
    def processor(self) -> Processor:
        return Processor(
            id="s3",
            name="Amazon S3" if self._config.endpoint is None else f"Object store {self._config.endpoint}",
            region=self._config.notice_region or self._config.region or "unknown",
            purposes=("generation", "support"),
            categories=("photo", "figurine", "correspondence"),
            third_party=self._config.third_party,
            terms_url=self._config.terms_url,
        )

    @property
    def capabilities(self) -> StoreCapabilities:
        return StoreCapabilities(
            encrypted_at_rest=self._config.encryption != "none" or self._config.encrypted_volume,
            # Until the bucket was asked, the worse is assumed: that deleting alone leaves something.
            versioned=self._versioned is not False,
            signed_urls=True,
            off_host=self._config.off_host,
        )

    async def check(self) -> None:
        """Try the bucket out, and ask whether it keeps versions unless a setting says so. For the start of a process.

        Raises:
            ConfigurationError: with the cure.
            StorageUnavailable: the store fails; retryable.
        """
        await try_out(self._bucket, self._versions)
        if self._config.versioned is None:
            with as_configuration_errors():
                self._versioned = await asyncio.to_thread(self._versions.are_kept)

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> ObjectInfo:
        etag = await self._bucket.put(check_key(key), data, media_type=media_type, if_absent=if_absent)
        # The answer to a PUT has no time of modification.
        found = await self._bucket.head(key)
        modified_at = self._clock.now() if found is None else found.modified_at
        return ObjectInfo(key, len(data), etag, modified_at)

    async def read(self, key: str) -> bytes:
        return (await self._bucket.get(check_key(key))).data

    async def stream(self, key: str, *, chunk_bytes: int = 65_536) -> AsyncIterator[bytes]:
        check_key(key)
        start, etag = 0, None
        while True:
            try:
                part = await self._bucket.get_part(key, start, start + _PART_BYTES, if_etag=etag)
            except ObjectChanged:
                raise StorageUnavailable("The object was replaced while it was read.") from None
            if part is None:
                return  # an object without bytes has no first part
            for at in range(0, len(part.data), chunk_bytes):
                yield part.data[at : at + chunk_bytes]
            start, etag = start + len(part.data), part.info.etag
            if start >= part.info.size_bytes:
                return

    async def head(self, key: str) -> ObjectInfo | None:
        return await self._bucket.head(check_key(key))

    async def delete_many(self, keys: Sequence[str]) -> None:
        await self._bucket.delete([check_key(key) for key in keys])

    async def purge_versions(self, prefix: str) -> int:
        check_prefix(prefix)
        return await asyncio.to_thread(self._versions.purge, prefix, expected=self._config.versioned is not False)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        async for page in self._bucket.pages(check_prefix(prefix)):
            for info in page:
                yield info

    def history(self) -> AsyncIterator[StoredVersion]:
        return History(self._config).everything()

    async def read_version(self, found: StoredVersion) -> bytes | None:
        return await asyncio.to_thread(History(self._config).read, found)

    def signed_url(self, key: str, *, media_type: str, expires_at: datetime) -> str:
        check_key(key)
        return self._signer.url(
            self._config.prefix + key, media_type=media_type, now=self._clock.now(), expires_at=expires_at
        )

    async def aclose(self) -> None:
        self._bucket.close()
        await asyncio.to_thread(self._versions.close)
