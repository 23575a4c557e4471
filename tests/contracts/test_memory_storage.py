"""The store in memory keeps the port's promises, and fails when told to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from statuette.ports.storage import ObjectNotFound, StorageUnavailable
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from statuette.testing.storage_suite import StorageSuite
from statuette.values import Clock


class TestMemoryStorage(StorageSuite):
    @pytest.fixture
    def clock(self) -> Clock:
        return FrozenClock()

    @pytest.fixture(params=[False, True], ids=["plain", "versioned"])
    def storage(self, request: pytest.FixtureRequest, clock: Clock) -> MemoryStorage:
        return MemoryStorage(clock=clock, versioned=request.param)


async def test_a_fault_happens_as_often_as_asked_and_leaves_nothing() -> None:
    storage = MemoryStorage()
    storage.fail_next("put", 2)

    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            await storage.put("a/b", b"x", media_type="image/png")
        assert await storage.head("a/b") is None
    await storage.put("a/b", b"x", media_type="image/png")

    assert await storage.read("a/b") == b"x"


async def test_a_fault_after_the_effect_hides_what_was_done() -> None:
    storage = MemoryStorage()
    storage.fail_next("put", after_effect=True)
    with pytest.raises(StorageUnavailable):
        await storage.put("a/b", b"x", media_type="image/png")
    assert await storage.read("a/b") == b"x"

    storage.fail_next("delete", after_effect=True)
    with pytest.raises(StorageUnavailable):
        await storage.delete_many(["a/b"])

    with pytest.raises(ObjectNotFound):
        await storage.read("a/b")


async def test_each_operation_can_be_made_to_fail() -> None:
    storage = MemoryStorage()
    await storage.put("a/b", b"x", media_type="image/png")
    for operation in ("put", "read", "stream", "head", "delete", "purge", "list"):
        storage.fail_next(operation)

    with pytest.raises(StorageUnavailable):
        await storage.put("a/c", b"x", media_type="image/png")
    with pytest.raises(StorageUnavailable):
        await storage.read("a/b")
    with pytest.raises(StorageUnavailable):
        await anext(aiter(storage.stream("a/b")))
    with pytest.raises(StorageUnavailable):
        await storage.head("a/b")
    with pytest.raises(StorageUnavailable):
        await storage.delete_many(["a/b"])
    with pytest.raises(StorageUnavailable):
        await storage.purge_versions("a/")
    with pytest.raises(StorageUnavailable):
        await anext(aiter(storage.list("a/")))
    assert [info.key async for info in storage.list("a/")] == ["a/b"]


async def test_latency_passes_on_the_clock() -> None:
    clock = FrozenClock()
    storage = MemoryStorage(clock=clock, latency=timedelta(seconds=2))
    putting = asyncio.create_task(storage.put("a/b", b"x", media_type="image/png"))
    await asyncio.sleep(0)
    assert not putting.done()

    clock.advance(timedelta(seconds=2))
    await putting

    storage.latency = timedelta(0)
    assert await storage.read("a/b") == b"x"


async def test_versions_stay_until_they_are_purged() -> None:
    storage = MemoryStorage(versioned=True)
    for body in (b"one", b"two"):
        await storage.put("a/b", body, media_type="image/png")
    await storage.delete_many(["a/b"])
    assert storage.version_count("a/") == 2

    removed = await storage.purge_versions("a/")

    assert (removed, storage.version_count("a/")) == (2, 0)
