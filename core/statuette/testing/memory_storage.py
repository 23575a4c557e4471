"""An object store in memory, for tests: every promise of the port but durability, and failures on request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from statuette.ports.processor import Processor
from statuette.ports.storage import (
    ObjectExists,
    ObjectInfo,
    ObjectNotFound,
    Storage,
    StorageUnavailable,
    StoreCapabilities,
    check_key,
    check_prefix,
)
from statuette.testing.clock import FrozenClock
from statuette.values import Clock

Operation = Literal["put", "read", "stream", "head", "delete", "purge", "list"]


class _Object(msgspec.Struct, frozen=True):
    data: bytes
    info: ObjectInfo


class _Fault(msgspec.Struct, frozen=True):
    left: int
    after_effect: bool
    about: str


class MemoryStorage(Storage):
    """One process, one event loop.

    Args:
        versioned: overwritten and deleted objects stay until `purge_versions`, as on a versioned bucket.
        latency: what each operation waits, on `clock`, before it does anything.
    """

    name = "memory"

    def __init__(
        self, *, clock: Clock | None = None, versioned: bool = False, latency: timedelta = timedelta(0)
    ) -> None:
        self._clock = clock or FrozenClock()
        self._versioned = versioned
        self.latency = latency
        self._objects: dict[str, _Object] = {}
        self._versions: defaultdict[str, list[_Object]] = defaultdict(list)
        self._writes = 0
        self._faults: dict[Operation, _Fault] = {}

    def fail_next(self, operation: Operation, times: int = 1, *, after_effect: bool = False, about: str = "") -> None:
        """Let the next `times` calls of `operation` raise `StorageUnavailable`; 0: none any more.

        Args:
            about: only calls whose key or prefix has this in it: others, of a duty that comes along, are spared.
            after_effect: the operation is done all the same, and the caller does not learn of it. For `put`, `delete`
                and `purge`; the others only read.
        """
        self._faults.pop(operation, None)
        if times > 0:
            self._faults[operation] = _Fault(times, after_effect, about)

    def version_count(self, prefix: str) -> int:
        """How many earlier versions lie below `prefix`."""
        return sum(len(versions) for key, versions in self._versions.items() if key.startswith(prefix))

    @property
    def processor(self) -> Processor:
        return Processor(
            id="memory",
            name="Memory of a test",
            region="this deployment",
            purposes=("generation", "support"),
            categories=("photo", "figurine", "correspondence"),
            third_party=False,
        )

    @property
    def capabilities(self) -> StoreCapabilities:
        return StoreCapabilities(encrypted_at_rest=True, versioned=self._versioned, signed_urls=False)

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> ObjectInfo:
        check_key(key)
        lost = await self._begin("put", key)
        if if_absent and key in self._objects:
            raise ObjectExists()
        self._retire(key)
        self._writes += 1
        info = ObjectInfo(key, len(data), f"{self._writes:x}", self._clock.now())
        self._objects[key] = _Object(bytes(data), info)
        _end(lost)
        return info

    async def read(self, key: str) -> bytes:
        check_key(key)
        _end(await self._begin("read", key))
        return self._found(key).data

    async def stream(self, key: str, *, chunk_bytes: int = 65_536) -> AsyncIterator[bytes]:
        check_key(key)
        _end(await self._begin("stream", key))
        data = self._found(key).data
        for at in range(0, len(data), chunk_bytes):
            yield data[at : at + chunk_bytes]

    async def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        _end(await self._begin("head", key))
        found = self._objects.get(key)
        return None if found is None else found.info

    async def delete_many(self, keys: Sequence[str]) -> None:
        for key in keys:
            check_key(key)
        lost = await self._begin("delete", *keys)
        for key in keys:
            self._retire(key)
        _end(lost)

    async def purge_versions(self, prefix: str) -> int:
        check_prefix(prefix)
        lost = await self._begin("purge", prefix)
        below = [key for key in self._versions if key.startswith(prefix)]
        removed = sum(len(self._versions.pop(key)) for key in below)
        _end(lost)
        return removed

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        check_prefix(prefix)
        _end(await self._begin("list", prefix))
        for key in sorted(key for key in self._objects if key.startswith(prefix)):
            if (found := self._objects.get(key)) is not None:
                yield found.info

    def signed_url(self, key: str, *, media_type: str, expires_at: datetime) -> None:
        check_key(key)

    def _found(self, key: str) -> _Object:
        try:
            return self._objects[key]
        except KeyError:
            raise ObjectNotFound() from None

    def _retire(self, key: str) -> None:
        former = self._objects.pop(key, None)
        if former is not None and self._versioned:
            self._versions[key].append(former)

    async def _begin(self, operation: Operation, *places: str) -> bool:
        """Wait, then fail if that was asked for; True when the failure is to come after the effect."""
        if self.latency:
            await self._clock.sleep(self.latency)
        fault = self._faults.get(operation)
        if fault is None or not any(fault.about in place for place in places):
            return False
        if fault.left > 1:
            self._faults[operation] = msgspec.structs.replace(fault, left=fault.left - 1)
        else:
            del self._faults[operation]
        if not fault.after_effect:
            raise StorageUnavailable()
        return True


def _end(lost: bool) -> None:
    if lost:
        raise StorageUnavailable()
