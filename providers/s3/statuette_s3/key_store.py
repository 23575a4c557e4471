"""The keys port on a bucket of its own, which any number of machines share.

One object a subject, named by the SHA-256 of its id: a wrapped data key, or the tombstone that replaced it. S3 replaces an
object whole or not at all, so there is no moment at which a subject has both, or neither:

- `create` writes on the condition that there is none; whoever comes second reads the winner's.
- `destroy` puts the tombstone in the key's place, and then removes the versions that the bucket kept.
- `rewrap_all` writes on the condition that the object is still the one that was read, so that it brings none back.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from statuette import Clock
from statuette.envelope import KEY_LENGTH_BYTES, MasterKeys, UnreadableRecordError, read_record, unwrap, wrap
from statuette.ports.keys import KeyDestroyed, KeyStore, KeyStoreUnavailable
from statuette.ports.storage import ObjectExists, ObjectNotFound, StorageUnavailable
from statuette_s3.bucket import Bucket, ObjectChanged
from statuette_s3.config import S3KeysConfig
from statuette_s3.probe import try_out
from statuette_s3.versions import Versions

_STORE = "statuette-s3-keys"
_FOLDER = "data-keys/"
_TOMBSTONE = b"destroyed\n"
_TYPE = "application/json"
_REWRAPPED_AT_ONCE = 16


class S3KeyStore(KeyStore):
    """Data keys in a bucket.

    Args:
        masters: reads the master keys; called for each operation, so that a key added while we run is known at once.
            Blocks.
    """

    name = "s3_keys"

    def __init__(self, config: S3KeysConfig, masters: Callable[[], MasterKeys], clock: Clock) -> None:
        self.off_host = config.off_host
        self._bucket = Bucket(config, clock)
        self._versions = Versions(config)
        self._masters = masters
        self._tried_out = False
        self._trying = asyncio.Lock()

    async def check(self) -> None:
        """Try the bucket and the master keys out. For the start of a process; else done before the first key is written.

        Raises:
            ConfigurationError: with the cure.
            KeyStoreUnavailable: the store fails; retryable.
        """
        with _as_key_store_errors():
            await asyncio.to_thread(self._masters)
            await try_out(self._bucket, self._versions)
        self._tried_out = True

    async def create(self, subject: str) -> bytes:
        await self._be_sure()
        subject_hash = _hash(subject)
        with _as_key_store_errors():
            masters = await asyncio.to_thread(self._masters)
            data_key = os.urandom(KEY_LENGTH_BYTES)
            record = wrap(data_key, subject_hash, masters, store=_STORE)
            try:
                await self._bucket.put(_place(subject_hash), record, media_type=_TYPE, if_absent=True)
            except ObjectExists:
                return await self._read(subject_hash)
            return data_key

    async def use(self, subject: str) -> bytes:
        with _as_key_store_errors():
            return await self._read(_hash(subject))

    async def destroy(self, subject: str) -> None:
        place = _place(_hash(subject))
        with _as_key_store_errors():
            await self._bucket.put(place, _TOMBSTONE, media_type=_TYPE)
            await asyncio.to_thread(self._versions.purge, place)

    async def rewrap_all(self) -> int:
        await self._be_sure()
        changed, unreadable = 0, list[str]()
        with _as_key_store_errors():
            async for page in self._bucket.pages(_FOLDER):
                changed += await self._rewrap_page([info.key.removeprefix(_FOLDER) for info in page], unreadable)
            # The former wrappings, and what processes killed in the middle of a destruction had yet to purge. A sixteenth at
            # a time, since a purge holds the names of what it removes.
            for first_digit in string.hexdigits[:16]:
                await asyncio.to_thread(self._versions.purge, f"{_FOLDER}{first_digit}")
        if unreadable:
            raise _unreadable(unreadable[0], f"{len(unreadable)} key records, this one the first, cannot be read")
        return changed

    async def rewrap_part(self, part: int) -> int:
        await self._be_sure()
        changed, unreadable = 0, list[str]()
        place = f"{_FOLDER}{part:02x}"
        with _as_key_store_errors():
            async for page in self._bucket.pages(_FOLDER, after=place):
                mine = [info.key.removeprefix(_FOLDER) for info in page if info.key.startswith(place)]
                changed += await self._rewrap_page(mine, unreadable)
                if len(mine) < len(page):
                    break
            await asyncio.to_thread(self._versions.purge, place)
        if unreadable:
            raise _unreadable(unreadable[0], f"{len(unreadable)} key records, this one the first, cannot be read")
        return changed

    async def _rewrap_page(self, hashes: list[str], unreadable: list[str]) -> int:
        """How many changed; what cannot be read is added to `unreadable`."""
        changed = 0
        for at in range(0, len(hashes), _REWRAPPED_AT_ONCE):
            some = hashes[at : at + _REWRAPPED_AT_ONCE]
            results = await asyncio.gather(*map(self._rewrap, some), return_exceptions=True)
            for subject_hash, result in zip(some, results, strict=True):
                if isinstance(result, UnreadableRecordError):
                    unreadable.append(subject_hash)
                elif isinstance(result, BaseException):
                    raise result
                else:
                    changed += result
        return changed

    async def aclose(self) -> None:
        self._bucket.close()
        await asyncio.to_thread(self._versions.close)

    async def _be_sure(self) -> None:
        """A store that ignores conditions would let two processes make two keys: known before the first is written."""
        async with self._trying:
            if not self._tried_out:
                await self.check()

    async def _read(self, subject_hash: str) -> bytes:
        record = await self._record(subject_hash)
        masters = await asyncio.to_thread(self._masters)
        try:
            return unwrap(record, subject_hash, masters, store=_STORE)
        except UnreadableRecordError as reason:
            raise _unreadable(subject_hash, str(reason)) from None

    async def _record(self, subject_hash: str) -> bytes:
        try:
            record = (await self._bucket.get(_place(subject_hash))).data
        except ObjectNotFound:
            raise KeyDestroyed() from None
        if record == _TOMBSTONE:
            raise KeyDestroyed()
        return record

    async def _rewrap(self, subject_hash: str) -> bool:
        """Whether the record changed. Raises `UnreadableRecordError`."""
        try:
            found = await self._bucket.get(_place(subject_hash))
        except ObjectNotFound:
            return False
        masters = await asyncio.to_thread(self._masters)
        if found.data == _TOMBSTONE or read_record(found.data).master == masters.newest:
            return False
        data_key = unwrap(found.data, subject_hash, masters, store=_STORE)
        record = wrap(data_key, subject_hash, masters, store=_STORE)
        try:
            await self._bucket.put(_place(subject_hash), record, media_type=_TYPE, if_etag=found.info.etag)
        except ObjectChanged:
            return False  # somebody destroyed it, or was faster
        return True


def _hash(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest()


def _place(subject_hash: str) -> str:
    return f"{_FOLDER}{subject_hash}"


@contextmanager
def _as_key_store_errors() -> Iterator[None]:
    try:
        yield
    except StorageUnavailable as error:
        raise KeyStoreUnavailable(error.detail, cure=error.cure, **error.attributes) from None


def _unreadable(subject_hash: str, reason: str) -> KeyStoreUnavailable:
    return KeyStoreUnavailable(
        f"The key record {subject_hash} cannot be read: {reason}.",
        cure="Restore it, or the master key that wrapped it, from the backup of the keys.",
    )
