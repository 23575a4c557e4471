"""A store that is slow, silent, away, or cut off in the middle: nothing partial shows, and it ends in time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from statuette.ports.storage import StorageUnavailable
from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.servers.s3 import S3Access
from statuette_s3.storage import S3Storage

from .conftest import VERSIONED, OpenStorage, raw_history, through
from .test_refusals import drained, every_call

TYPE = "image/jpeg"
OLD, NEW = os.urandom(400_000), os.urandom(400_000)


@pytest.fixture
async def storage(open_storage: OpenStorage, seaweed: S3Access) -> S3Storage:
    """Straight to the store."""
    return open_storage(seaweed)


@pytest.fixture
async def shaky(open_storage: OpenStorage, seaweed: S3Access, proxy: FaultProxy) -> AsyncIterator[S3Storage]:
    """The same objects, through the proxy."""
    yield open_storage(through(proxy, seaweed))
    proxy.heal()


@contextmanager
def ending_within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


async def test_a_slow_store_is_waited_for(shaky: S3Storage, proxy: FaultProxy) -> None:
    proxy.slow(0.02)

    await shaky.put("a/b", NEW[:100_000], media_type=TYPE)

    assert await shaky.read("a/b") == NEW[:100_000]


@every_call
async def test_a_silent_store_is_given_up_in_time(
    proxy: FaultProxy, call: Callable[[S3Storage], object], open_storage: OpenStorage, seaweed: S3Access
) -> None:
    impatient = open_storage(through(proxy, seaweed), timeout_seconds=1.0)
    proxy.silence()

    with ending_within(15.0), pytest.raises(StorageUnavailable) as caught:
        await call(impatient)  # type: ignore[misc]

    assert caught.value.retryable


async def test_a_store_that_goes_silent_in_the_middle_is_given_up_in_time(
    storage: S3Storage, proxy: FaultProxy, open_storage: OpenStorage, seaweed: S3Access
) -> None:
    await storage.put("a/b", NEW, media_type=TYPE)
    impatient = open_storage(through(proxy, seaweed), timeout_seconds=3.0)
    proxy.cut(after_received=50_000, times=1)
    reading = asyncio.create_task(impatient.read("a/b"))
    while not proxy.cuts:  # noqa: ASYNC110 - the proxy offers no event
        await asyncio.sleep(0.001)
    proxy.silence()

    with ending_within(15.0), pytest.raises(StorageUnavailable, match=r"in time|within 3 s"):
        await reading


@every_call
@pytest.mark.parametrize("fault", ["refused", "reset"])
async def test_a_store_that_is_away_is_unavailable(
    shaky: S3Storage, proxy: FaultProxy, call: Callable[[S3Storage], object], fault: str
) -> None:
    if fault == "refused":
        await proxy.refuse()
    else:
        proxy.reset()

    with ending_within(60.0), pytest.raises(StorageUnavailable) as caught:
        await call(shaky)  # type: ignore[misc]

    assert caught.value.retryable
    assert ("cannot be reached" in caught.value.detail) or fault == "reset"


async def test_a_store_that_comes_back_is_found_again(storage: S3Storage, shaky: S3Storage, proxy: FaultProxy) -> None:
    await shaky.put("a/b", OLD, media_type=TYPE)
    await proxy.refuse()
    with pytest.raises(StorageUnavailable):
        await shaky.read("a/b")

    await proxy.welcome()

    assert await shaky.read("a/b") == OLD


@pytest.mark.parametrize("if_absent", [False, True])
@pytest.mark.parametrize("bytes_sent", [300, 50_000, 399_000])
async def test_a_write_cut_in_the_middle_shows_nothing(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy, bytes_sent: int, if_absent: bool
) -> None:
    proxy.cut(after_sent=bytes_sent)

    with pytest.raises(StorageUnavailable):
        await shaky.put("a/new", NEW, media_type=TYPE, if_absent=if_absent)

    assert proxy.cuts >= 1
    assert await storage.head("a/new") is None
    assert [info.key async for info in storage.list("a/")] == []


@pytest.mark.parametrize("bytes_sent", [300, 50_000, 399_000])
async def test_a_replacement_cut_in_the_middle_leaves_the_former_whole(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy, bytes_sent: int
) -> None:
    before = await storage.put("a/b", OLD, media_type=TYPE)
    proxy.cut(after_sent=bytes_sent)

    with pytest.raises(StorageUnavailable):
        await shaky.put("a/b", NEW, media_type=TYPE)

    assert await storage.head("a/b") == before
    assert await storage.read("a/b") == OLD


async def test_a_write_that_is_cut_once_is_made_again(storage: S3Storage, shaky: S3Storage, proxy: FaultProxy) -> None:
    await shaky.put("a/first", b"x", media_type=TYPE)
    proxy.cut(after_sent=50_000, times=1)

    try:
        await shaky.put("a/b", NEW, media_type=TYPE)
    except StorageUnavailable:
        await shaky.put("a/b", NEW, media_type=TYPE)

    assert proxy.cuts == 1
    assert await storage.read("a/b") == NEW


@pytest.mark.parametrize("bytes_received", [100, 50_000])
async def test_a_read_cut_in_the_middle_gives_nothing(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy, bytes_received: int
) -> None:
    await storage.put("a/b", NEW, media_type=TYPE)
    proxy.cut(after_received=bytes_received)

    with pytest.raises(StorageUnavailable):
        await shaky.read("a/b")
    with pytest.raises(StorageUnavailable):
        await anext(shaky.stream("a/b"))

    assert proxy.cuts >= 2


@pytest.mark.parametrize("bytes_received", [100, 50_000, 399_000])
async def test_a_read_that_is_cut_once_is_taken_up_again(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy, bytes_received: int
) -> None:
    await storage.put("a/b", NEW, media_type=TYPE)
    proxy.cut(after_received=bytes_received, times=1)

    assert await shaky.read("a/b") == NEW
    assert proxy.cuts == 1


async def test_a_read_taken_up_again_is_not_of_two_objects(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy
) -> None:
    await storage.put("a/b", OLD, media_type=TYPE)
    proxy.cut(after_received=200_000, times=1)
    reading = asyncio.create_task(shaky.read("a/b"))
    while not proxy.cuts:  # noqa: ASYNC110 - the proxy offers no event
        await asyncio.sleep(0.001)

    await storage.put("a/b", NEW, media_type=TYPE)

    try:
        assert await reading in (OLD, NEW)
    except StorageUnavailable:
        assert await shaky.read("a/b") == NEW


async def test_a_stream_cut_between_its_parts_ends_in_an_error_not_in_an_end(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy
) -> None:
    await storage.put("a/large", NEW * 8, media_type=TYPE)
    stream = shaky.stream("a/large")
    first = await anext(stream)
    await proxy.refuse()

    with pytest.raises(StorageUnavailable):
        await drained(stream)

    assert first == NEW[: len(first)]


async def test_a_list_cut_in_the_middle_ends_in_an_error_not_in_an_end(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy
) -> None:
    for n in range(20):
        await storage.put(f"a/{n:02d}", b"x", media_type=TYPE)
    proxy.cut(after_received=2_000)

    with pytest.raises(StorageUnavailable):
        await drained(shaky.list("a/"))

    proxy.heal()
    assert len([info async for info in shaky.list("a/")]) == 20


async def test_a_deletion_that_is_cut_says_so_and_can_be_repeated(
    storage: S3Storage, shaky: S3Storage, proxy: FaultProxy
) -> None:
    await storage.put("a/b", b"x", media_type=TYPE)
    proxy.cut(after_received=20)

    with pytest.raises(StorageUnavailable):
        await shaky.delete_many(["a/b"])

    proxy.heal()
    await shaky.delete_many(["a/b"])
    assert await storage.head("a/b") is None


async def test_a_purge_that_is_cut_says_so_and_is_finished_by_the_next(
    open_storage: OpenStorage, seaweed: S3Access, proxy: FaultProxy, own_folder: str
) -> None:
    storage = open_storage(seaweed, VERSIONED)
    shaky = open_storage(through(proxy, seaweed), VERSIONED)
    for body in (OLD, NEW):
        await storage.put("a/b", body, media_type=TYPE)
    await storage.delete_many(["a/b"])
    proxy.cut(after_received=300)

    with pytest.raises(StorageUnavailable):
        await shaky.purge_versions("a/")
    proxy.heal()

    assert await shaky.purge_versions("a/") == 3
    assert raw_history(seaweed, VERSIONED, own_folder) == ([], [], [])


async def test_whoever_stops_waiting_hangs_up(storage: S3Storage, shaky: S3Storage, proxy: FaultProxy) -> None:
    proxy.silence()
    call = asyncio.create_task(shaky.read("a/b"))
    async with asyncio.timeout(15):
        while not proxy.heard:  # noqa: ASYNC110 - the proxy offers no event
            await asyncio.sleep(0.01)

    call.cancel()
    await asyncio.wait([call])

    proxy.heal()  # what is gone is noticed when something is passed on
    async with asyncio.timeout(15):
        while proxy.open_connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert call.cancelled()
    assert proxy.accepted == 1
