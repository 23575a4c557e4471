"""The storage port on a local folder. File I/O runs in threads."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from statuette.ports.processor import Processor
from statuette.ports.storage import (
    ObjectInfo,
    ObjectNotFound,
    Storage,
    StorageUnavailable,
    StoreCapabilities,
    check_key,
    check_prefix,
)
from statuette.values import Clock
from statuette_local.folder import Folder
from statuette_local.signing import Signer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIST_BATCH = 256
_READ_BYTES = 1024 * 1024


class OpenObject:
    """One object, opened: it can be read to its end even when it is deleted meanwhile. Close it."""

    def __init__(self, descriptor: int, info: ObjectInfo) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self.info = info

    async def chunks(self, chunk_bytes: int) -> AsyncIterator[bytes]:
        """From the present position on; chunks of at most `chunk_bytes`. Closes at the end, however it comes."""
        try:
            while chunk := await asyncio.to_thread(self.read, chunk_bytes):
                yield chunk
        finally:
            self.close()

    def read(self, size_bytes: int) -> bytes:
        """The next bytes, at most so many; none at the end or once closed. Blocks."""
        with self._lock, _failures():
            return b"" if self._descriptor < 0 else os.read(self._descriptor, size_bytes)

    def close(self) -> None:
        """Idempotent. Waits for a read under way: its number may be another file's a moment later."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


class LocalStorage(Storage):
    """Objects below `root`, which is made at the first `put`. Writers may be several; etags are told apart by one.

    Args:
        public_url: where the platform is reached, without a trailing slash.
        signing_key: 32 bytes, this plugin's own.
    """

    def __init__(
        self,
        *,
        root: Path,
        clock: Clock,
        public_url: str,
        signing_key: bytes,
        encrypted_volume: bool = False,
        name: str = "local",
        off_host: bool = False,
    ) -> None:
        self.name = name
        self.clock = clock
        self.signer = Signer(f"{public_url}/x/local", signing_key)
        self._folder = Folder(root)
        self._encrypted_volume = encrypted_volume
        self._off_host = off_host
        self._last_modified_ns = 0

    @property
    def processor(self) -> Processor:
        return Processor(
            id="local",
            name="Local folder",
            region="this deployment",
            purposes=("generation", "support"),
            categories=("photo", "figurine", "correspondence"),
            third_party=False,
        )

    @property
    def capabilities(self) -> StoreCapabilities:
        return StoreCapabilities(
            encrypted_at_rest=self._encrypted_volume, versioned=False, signed_urls=True, off_host=self._off_host
        )

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> ObjectInfo:
        check_key(key)
        modified_ns = self._next_modified_ns()
        return await asyncio.to_thread(self._put, key, data, modified_ns, if_absent)

    async def open(self, key: str) -> OpenObject:
        """For serving: what is known and the bytes, of one and the same object. Raises `ObjectNotFound`."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._open, check_key(key)))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unwanted)
            raise

    async def read(self, key: str) -> bytes:
        return await asyncio.to_thread(self._read, check_key(key))

    async def stream(self, key: str, *, chunk_bytes: int = 65_536) -> AsyncIterator[bytes]:
        opened = await self.open(key)
        async for chunk in opened.chunks(chunk_bytes):
            yield chunk

    async def head(self, key: str) -> ObjectInfo | None:
        return await asyncio.to_thread(self._head, check_key(key))

    async def delete_many(self, keys: Sequence[str]) -> None:
        checked = [check_key(key) for key in keys]
        await asyncio.to_thread(self._delete, checked)

    async def purge_versions(self, prefix: str) -> int:
        return await asyncio.to_thread(self._purge, check_prefix(prefix))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        entries = self._folder.entries(check_prefix(prefix))
        try:
            batch: tuple[ObjectInfo, ...] | None = None
            while batch is None or len(batch) == _LIST_BATCH:  # a shorter one was the last
                batch = await asyncio.to_thread(_next_batch, entries)
                for info in batch:
                    yield info
        finally:
            # A listing cancelled amid a batch is still being run by its thread, and closes when that drops it.
            with suppress(ValueError):
                entries.close()

    def signed_url(self, key: str, *, media_type: str, expires_at: datetime) -> str:
        return self.signer.url(check_key(key), media_type, expires_at)

    def _next_modified_ns(self) -> int:
        """The clock's time, but never the same twice, so that it tells any two writes apart."""
        now_ns = (self.clock.now() - _EPOCH) // timedelta(microseconds=1) * 1000
        self._last_modified_ns = max(now_ns, self._last_modified_ns + 1)
        return self._last_modified_ns

    def _put(self, key: str, data: bytes, modified_ns: int, if_absent: bool) -> ObjectInfo:
        with _failures():
            return _info(key, self._folder.put(key, data, modified_ns=modified_ns, if_absent=if_absent))

    def _open(self, key: str) -> OpenObject:
        with _failures():
            try:
                descriptor, found = self._folder.open(key)
            except FileNotFoundError:
                raise ObjectNotFound() from None
            return OpenObject(descriptor, _info(key, found))

    def _read(self, key: str) -> bytes:
        opened = self._open(key)
        try:
            return b"".join(iter(lambda: opened.read(_READ_BYTES), b""))
        finally:
            opened.close()

    def _head(self, key: str) -> ObjectInfo | None:
        with _failures():
            found = self._folder.head(key)
            return None if found is None else _info(key, found)

    def _delete(self, keys: Sequence[str]) -> None:
        with _failures():
            self._folder.delete(keys)

    def _purge(self, prefix: str) -> int:
        with _failures():
            return self._folder.purge(prefix)


def _close_unwanted(opening: asyncio.Future[OpenObject]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


@contextmanager
def _failures() -> Iterator[None]:
    """Whatever the file system says becomes `StorageUnavailable`, by its symbol alone: its words hold paths."""
    try:
        yield
    except OSError as error:
        symbol = errno.errorcode.get(error.errno or 0, "unknown")
        raise StorageUnavailable(f"The local folder failed with {symbol}.") from None


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=found.st_size,
        # Each write makes a new file with a time of its own, so no two writes share all three, even of equal bytes.
        etag=f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}",
        modified_at=_EPOCH + timedelta(microseconds=found.st_mtime_ns // 1000),
    )


def _next_batch(entries: Iterator[tuple[str, os.stat_result]]) -> tuple[ObjectInfo, ...]:
    with _failures():
        return tuple(_info(key, found) for key, found in islice(entries, _LIST_BATCH))
