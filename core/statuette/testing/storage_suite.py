"""What every object store must do. A provider's tests subclass it:

    class TestMyStorage(StorageSuite):
        @pytest.fixture
        def clock(self): return FrozenClock()          # only if the store takes a clock; else leave it out

        @pytest.fixture
        async def storage(self, clock): ...            # yield an empty store

        async def fetch(self, storage, method, url): ...  # only if `capabilities.signed_urls`

Tests are coroutines: run pytest-asyncio with `asyncio_mode = "auto"`. They write below `suite/` only.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import timedelta

import pytest

from statuette.ports.storage import (
    MAX_KEY_LENGTH,
    MAX_SEGMENT_LENGTH,
    InvalidKey,
    ObjectExists,
    ObjectInfo,
    ObjectNotFound,
    Storage,
    StoredVersion,
    check_key,
)
from statuette.testing.clock import FrozenClock
from statuette.values import Clock, SystemClock

_TYPE = "image/jpeg"
_LARGE_BYTES = 12 * 1024 * 1024

_INVALID_KEYS = {
    "empty": "",
    "traversal": "suite/../secret",
    "leading traversal": "../secret",
    "only dots": "suite/..",
    "current folder": "suite/./x",
    "dotted segment": "suite/.hidden",
    "trailing dot": "suite/x.",
    "double dot": "suite/a..b",
    "absolute": "/etc/passwd",
    "empty segment": "suite//x",
    "trailing slash": "suite/x/",
    "backslash": "suite\\x",
    "upper case": "suite/Photo",
    "unicode": "suite/füße",
    "look-alike slash": "suite\u2215x",
    "space": "suite/a b",
    "percent": "suite/%2e%2e/x",
    "nul": "suite/x\x00",
    "line feed": "suite/x\n",
    "plus": "suite+/x",
    "too long": "suite/" + "x/" * MAX_KEY_LENGTH + "x",
    "too long a segment": "suite/" + "x" * (MAX_SEGMENT_LENGTH + 1),
}
_INVALID_PREFIXES = {"without slash": "suite", "empty": "", "root": "/", "traversal": "suite/../", "double": "suite//"}


class StorageSuite:
    """Conformance of a `Storage`."""

    @pytest.fixture
    def clock(self) -> Clock:
        """The clock the store goes by. With the system's, the tests of expiry take a few seconds."""
        return SystemClock()

    async def fetch(self, storage: Storage, method: str, url: str) -> tuple[int, Mapping[str, str], bytes]:
        """Over HTTP, without credentials: status, headers (names in lower case), body. If addresses are signed."""
        raise AssertionError("A store with signed addresses needs `fetch` to be overridden.")

    async def test_what_is_put_is_read_back(self, storage: Storage) -> None:
        info = await storage.put("suite/a.jpg", b"first", media_type=_TYPE)

        assert await storage.read("suite/a.jpg") == b"first"
        assert (info.key, info.size_bytes) == ("suite/a.jpg", 5)
        assert await storage.head("suite/a.jpg") == info

    async def test_empty_objects_are_objects(self, storage: Storage) -> None:
        await storage.put("suite/empty", b"", media_type=_TYPE)

        assert await storage.read("suite/empty") == b""
        assert [chunk async for chunk in storage.stream("suite/empty") if chunk] == []
        assert (await storage.head("suite/empty")) is not None

    async def test_a_second_put_replaces_the_first(self, storage: Storage) -> None:
        before = await storage.put("suite/a", b"one", media_type=_TYPE)
        after = await storage.put("suite/a", b"two", media_type=_TYPE)

        assert await storage.read("suite/a") == b"two"
        assert after == await storage.head("suite/a")
        assert before.etag != after.etag

    async def test_etags_change_with_the_bytes_however_fast(self, storage: Storage) -> None:
        etags = [(await storage.put("suite/a", b"%02d" % n, media_type=_TYPE)).etag for n in range(12)]

        assert len(set(etags)) == 12
        assert not any('"' in etag for etag in etags)

    async def test_times_are_aware_and_near_the_clock(self, storage: Storage, clock: Clock) -> None:
        info = await storage.put("suite/a", b"x", media_type=_TYPE)

        assert info.modified_at.tzinfo is not None
        assert abs(info.modified_at - clock.now()) < timedelta(minutes=1)

    async def test_a_put_if_absent_leaves_what_is_there(self, storage: Storage) -> None:
        await storage.put("suite/a", b"one", media_type=_TYPE, if_absent=True)

        with pytest.raises(ObjectExists):
            await storage.put("suite/a", b"two", media_type=_TYPE, if_absent=True)

        assert await storage.read("suite/a") == b"one"

    async def test_a_put_if_absent_works_again_after_a_delete(self, storage: Storage) -> None:
        await storage.put("suite/a", b"one", media_type=_TYPE, if_absent=True)
        await storage.delete_many(["suite/a"])

        await storage.put("suite/a", b"two", media_type=_TYPE, if_absent=True)

        assert await storage.read("suite/a") == b"two"

    async def test_of_ten_who_put_if_absent_one_wins(self, storage: Storage) -> None:
        results = await asyncio.gather(
            *(storage.put("suite/race", b"%02d" % n, media_type=_TYPE, if_absent=True) for n in range(10)),
            return_exceptions=True,
        )

        winners = [n for n, result in enumerate(results) if isinstance(result, ObjectInfo)]
        assert len(winners) == 1
        others = [result for n, result in enumerate(results) if n not in winners]
        assert [result for result in others if not isinstance(result, ObjectExists)] == []
        assert await storage.read("suite/race") == b"%02d" % winners[0]

    async def test_readers_see_one_whole_object_while_writers_replace_it(self, storage: Storage) -> None:
        bodies = [bytes([n]) * 300_000 for n in range(8)]
        await storage.put("suite/a", bodies[0], media_type=_TYPE)

        async def write() -> None:
            for body in bodies:
                await storage.put("suite/a", body, media_type=_TYPE)

        writing = asyncio.create_task(write())
        seen = [await storage.read("suite/a") for _ in range(20)]
        await writing

        assert all(body in bodies for body in seen)

    async def test_many_objects_at_once(self, storage: Storage) -> None:
        keys = [f"suite/many/{n % 5}/{n:03d}" for n in range(60)]

        await asyncio.gather(*(storage.put(key, key.encode(), media_type=_TYPE) for key in keys))
        bodies = await asyncio.gather(*(storage.read(key) for key in keys))

        assert bodies == [key.encode() for key in keys]
        assert [info.key async for info in storage.list("suite/many/")] == sorted(keys)

    async def test_absence_is_told_in_one_way(self, storage: Storage) -> None:
        await storage.put("suite/folder/object", b"x", media_type=_TYPE)

        for key in ("suite/none", "suite/folder", "suite/folder/object/below", "suite/no/such/folder"):
            assert await storage.head(key) is None
            with pytest.raises(ObjectNotFound):
                await storage.read(key)
            with pytest.raises(ObjectNotFound):
                await anext(aiter(storage.stream(key)))

    async def test_one_key_may_continue_another(self, storage: Storage) -> None:
        await storage.put("suite/a", b"short", media_type=_TYPE)
        await storage.put("suite/a/b", b"long", media_type=_TYPE)

        assert await storage.read("suite/a") == b"short"
        assert await storage.read("suite/a/b") == b"long"
        await storage.delete_many(["suite/a"])
        assert await storage.read("suite/a/b") == b"long"

    async def test_the_longest_key_is_held(self, storage: Storage) -> None:
        deep = ("suite/" + "x/" * MAX_KEY_LENGTH)[: MAX_KEY_LENGTH - 1] + "y"
        wide = "/".join(["suite", "w" * MAX_SEGMENT_LENGTH, "v" * MAX_SEGMENT_LENGTH])

        for key in (check_key(deep), check_key(wide)):
            await storage.put(key, b"held", media_type=_TYPE)
            assert await storage.read(key) == b"held"
        assert [info.key async for info in storage.list("suite/")] == sorted([deep, wide])

    @pytest.mark.parametrize("key", _INVALID_KEYS.values(), ids=_INVALID_KEYS)
    async def test_invalid_keys_are_refused_everywhere(self, storage: Storage, clock: Clock, key: str) -> None:
        with pytest.raises(InvalidKey):
            await storage.put(key, b"x", media_type=_TYPE)
        with pytest.raises(InvalidKey):
            await storage.read(key)
        with pytest.raises(InvalidKey):
            await anext(aiter(storage.stream(key)))
        with pytest.raises(InvalidKey):
            await storage.head(key)
        with pytest.raises(InvalidKey):
            storage.signed_url(key, media_type=_TYPE, expires_at=clock.now() + timedelta(minutes=1))

    @pytest.mark.parametrize("prefix", _INVALID_PREFIXES.values(), ids=_INVALID_PREFIXES)
    async def test_invalid_prefixes_are_refused(self, storage: Storage, prefix: str) -> None:
        with pytest.raises(InvalidKey):
            await anext(aiter(storage.list(prefix)))
        with pytest.raises(InvalidKey):
            await storage.purge_versions(prefix)

    async def test_one_invalid_key_keeps_a_whole_delete_from_happening(self, storage: Storage) -> None:
        await storage.put("suite/a", b"x", media_type=_TYPE)

        with pytest.raises(InvalidKey):
            await storage.delete_many(["suite/a", "../b"])

        assert await storage.read("suite/a") == b"x"

    async def test_a_delete_removes_what_it_names_and_nothing_else(self, storage: Storage) -> None:
        for key in ("suite/a", "suite/b", "suite/c/d"):
            await storage.put(key, b"x", media_type=_TYPE)

        await storage.delete_many(["suite/a", "suite/never", "suite/c/d", "suite/a"])
        await storage.delete_many(["suite/a"])
        await storage.delete_many([])

        assert [info.key async for info in storage.list("suite/")] == ["suite/b"]
        assert await storage.head("suite/a") is None

    async def test_a_list_is_in_key_order_and_keeps_to_its_prefix(self, storage: Storage) -> None:
        inside = ["suite/a/b/1", "suite/a/b/10", "suite/a/b/2", "suite/a/b/2-x", "suite/a/b/2.x", "suite/a/b/2/y"]
        inside += ["suite/a/b/20", "suite/a/b/2_", "suite/a/b/z/z/z"]
        outside = ["suite/a/b", "suite/a/bc/1", "suite/a/b-/1", "suite/a/b.c/1", "suite/a/0"]
        for key in [*inside, *outside]:
            await storage.put(key, key.encode(), media_type=_TYPE)

        found = [info async for info in storage.list("suite/a/b/")]

        assert [info.key for info in found] == sorted(inside)
        assert all([await storage.head(info.key) == info for info in found])
        assert [info.key async for info in storage.list("suite/a/")] == sorted([*inside, *outside])
        assert [info.key async for info in storage.list("suite/none/")] == []

    async def test_a_list_may_be_left_and_objects_may_go_while_it_runs(self, storage: Storage) -> None:
        for n in range(12):
            await storage.put(f"suite/l/{n:02d}", b"x", media_type=_TYPE)

        listing = storage.list("suite/l/")
        first = await anext(listing)
        await storage.delete_many([f"suite/l/{n:02d}" for n in range(12)])
        rest = [info.key async for info in listing]

        assert first.key == "suite/l/00"
        assert set(rest) <= {f"suite/l/{n:02d}" for n in range(1, 12)}

    async def test_a_purge_leaves_nothing_of_what_was_deleted(self, storage: Storage) -> None:
        for body in (b"one", b"two"):
            await storage.put("suite/p/a", body, media_type=_TYPE)
        await storage.put("suite/px/kept", b"kept", media_type=_TYPE)
        await storage.delete_many(["suite/p/a"])

        removed = await storage.purge_versions("suite/p/")

        assert removed >= 2 if storage.capabilities.versioned else removed == 0
        assert await storage.purge_versions("suite/p/") == 0
        assert await storage.purge_versions("suite/never/") == 0
        assert [info.key async for info in storage.list("suite/p/")] == []
        assert await storage.read("suite/px/kept") == b"kept"

    async def test_history_tells_of_every_object_and_after_a_purge_of_nothing_that_was_deleted(
        self, storage: Storage
    ) -> None:
        if storage.history() is None:
            return  # the store keeps nothing that `list` does not tell of, or cannot tell
        for key in ("suite/h/kept", "suite/h/gone"):
            await storage.put(key, b"bytes", media_type=_TYPE)
        found = await _history(storage)
        assert {"suite/h/kept", "suite/h/gone"} <= {each.key for each in found}
        (kept,) = [each for each in found if each.key == "suite/h/kept"]
        assert await storage.read_version(kept) == b"bytes"

        await storage.delete_many(["suite/h/gone"])
        await storage.purge_versions("suite/h/")

        assert [each.key for each in await _history(storage) if each.key.startswith("suite/h/")] == ["suite/h/kept"]

    async def test_a_purge_leaves_objects_that_were_not_deleted(self, storage: Storage) -> None:
        for body in (b"one", b"two"):
            await storage.put("suite/p/a", body, media_type=_TYPE)

        await storage.purge_versions("suite/p/")

        assert await storage.read("suite/p/a") == b"two"

    async def test_puts_and_purges_at_the_same_time_harm_no_finished_object(self, storage: Storage) -> None:
        async def put(n: int) -> None:
            await storage.put(f"suite/p/{n}/object", b"%d" % n, media_type=_TYPE)

        await asyncio.gather(*(put(n) for n in range(10)), *(storage.purge_versions("suite/p/") for _ in range(5)))

        for n in range(10):
            assert await storage.read(f"suite/p/{n}/object") == b"%d" % n

    async def test_large_objects_stream_in_bounded_chunks(self, storage: Storage) -> None:
        body = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(_LARGE_BYTES // 32)) + b"tail"
        await storage.put("suite/large", body, media_type=_TYPE)
        digest, sizes = hashlib.sha256(), []

        async for chunk in storage.stream("suite/large", chunk_bytes=100_000):
            digest.update(chunk)
            sizes.append(len(chunk))

        assert digest.digest() == hashlib.sha256(body).digest()
        assert max(sizes) <= 100_000
        assert min(sizes) > 0

    async def test_a_stream_may_be_left_early(self, storage: Storage) -> None:
        await storage.put("suite/large", bytes(1_000_000), media_type=_TYPE)

        stream = storage.stream("suite/large", chunk_bytes=1_000)
        first = await anext(aiter(stream))
        await storage.delete_many(["suite/large"])

        assert 0 < len(first) <= 1_000
        assert await storage.head("suite/large") is None

    async def test_a_signed_address_opens_the_object_until_it_expires(self, storage: Storage, clock: Clock) -> None:
        body = b"\xff\xd8\xff picture"
        await storage.put("suite/s/a.jpg", body, media_type=_TYPE)
        url = storage.signed_url("suite/s/a.jpg", media_type=_TYPE, expires_at=clock.now() + timedelta(seconds=3))
        if not storage.capabilities.signed_urls:
            assert url is None
            return
        assert url is not None

        status, headers, received = await self.fetch(storage, "GET", url)
        head_status, _, head_body = await self.fetch(storage, "HEAD", url)
        await _pass(clock, timedelta(seconds=4))
        late, _, late_body = await self.fetch(storage, "GET", url)

        assert (status, received) == (200, body)
        assert headers["content-type"].split(";")[0] == _TYPE
        assert head_status in (200, 403)  # S3 signs the method, so an address for GET is none for HEAD
        assert head_body == b""
        assert late >= 400
        assert body not in late_body

    async def test_a_signed_address_allows_nothing_but_reading_that_object(
        self, storage: Storage, clock: Clock
    ) -> None:
        await storage.put("suite/s/a", b"one", media_type=_TYPE)
        await storage.put("suite/s/b", b"two", media_type=_TYPE)
        url = storage.signed_url("suite/s/a", media_type=_TYPE, expires_at=clock.now() + timedelta(minutes=5))
        if not storage.capabilities.signed_urls:
            assert url is None
            return
        assert url is not None

        other, _, body = await self.fetch(storage, "GET", url.replace("suite/s/a", "suite/s/b"))
        unsigned, _, _ = await self.fetch(storage, "GET", url.partition("?")[0])
        refused = [(await self.fetch(storage, method, url))[0] for method in ("PUT", "POST", "DELETE")]

        assert other >= 400
        assert b"two" not in body
        assert unsigned >= 400
        assert all(status >= 400 for status in refused)
        assert await storage.read("suite/s/a") == b"one"

    async def test_a_check_passes_and_leaves_nothing_behind(self, storage: Storage) -> None:
        await storage.check()
        await storage.check()

        assert [info.key async for info in storage.list("suite/")] == []
        assert await storage.purge_versions("suite/") == 0

    async def test_closing_twice_is_fine(self, storage: Storage) -> None:
        await storage.aclose()
        await storage.aclose()


async def _pass(clock: Clock, duration: timedelta) -> None:
    if isinstance(clock, FrozenClock):
        clock.advance(duration)
    else:
        await clock.sleep(duration)


async def _history(storage: Storage) -> list[StoredVersion]:
    told = storage.history()
    return [] if told is None else [each async for each in told]
