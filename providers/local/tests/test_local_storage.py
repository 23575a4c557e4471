"""The local folder keeps the port's promises, and does so against planted links, full disks and crashes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar import Litestar, Router

from statuette import PluginContext
from statuette.ports.storage import ObjectNotFound, Storage, StorageUnavailable
from statuette.testing import FrozenClock
from statuette.testing.storage_suite import StorageSuite
from statuette_local import LocalConfig, plugin
from statuette_local.serving import object_routes
from statuette_local.storage import LocalStorage

_KEY = bytes(range(32))


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
async def storage(root: Path, clock: FrozenClock) -> AsyncIterator[LocalStorage]:
    """A store whose addresses are really served, on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(Litestar(), port=0, log_level="error", lifespan="off"))
    listener = server.config.bind_socket()
    port = listener.getsockname()[1]
    storage = LocalStorage(
        root=root, clock=clock, public_url=f"http://127.0.0.1:{port}", signing_key=_KEY, encrypted_volume=True
    )
    server.config.app = Litestar([Router("/x/local", route_handlers=list(object_routes(storage)))], openapi_config=None)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.005)
    yield storage
    server.should_exit = True
    await serving
    listener.close()


async def request(method: str, url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, url)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


class TestLocalStorage(StorageSuite):
    @pytest.fixture
    def clock(self, clock: FrozenClock) -> FrozenClock:
        return clock

    async def fetch(self, storage: Storage, method: str, url: str) -> tuple[int, Mapping[str, str], bytes]:
        response = await request(method, url)
        return response.status_code, response.headers, response.content


async def test_nothing_is_made_before_the_first_put(storage: LocalStorage, root: Path) -> None:
    assert await storage.head("a/b") is None
    assert [info async for info in storage.list("a/")] == []
    await storage.delete_many(["a/b"])
    assert files(root.parent) == []


async def test_files_and_folders_are_the_owners_alone(storage: LocalStorage, root: Path) -> None:
    await storage.put("a/b/c.jpg", b"x", media_type="image/jpeg")

    assert files(root) == ["a+", "a+/b+", "a+/b+/c.jpg"]
    assert [path.stat().st_mode & 0o077 for path in (root, root / "a+", root / "a+/b+", root / "a+/b+/c.jpg")] == [
        0
    ] * 4


async def test_a_purge_takes_unfinished_files_and_empty_folders_and_leaves_the_rest(
    storage: LocalStorage, root: Path
) -> None:
    # Given what a crash left behind, an object, and a foreign file
    await storage.put("u/gone/photo", b"x", media_type="image/jpeg")
    await storage.put("u/kept/photo", b"x", media_type="image/jpeg")
    (root / "u+/gone+" / f".{'0' * 32}.part").write_bytes(b"half a photo")
    (root / "u+/gone+/deep+").mkdir()
    (root / "u+/gone+/deep+" / f".{'1' * 32}.part").write_bytes(b"half a photo")
    await storage.delete_many(["u/gone/photo"])
    assert [info.key async for info in storage.list("u/")] == ["u/kept/photo"]

    removed = await storage.purge_versions("u/gone/")

    assert removed == 2
    assert files(root) == ["u+", "u+/kept+", "u+/kept+/photo"]
    assert await storage.purge_versions("u/gone/") == 0


async def test_foreign_names_are_neither_listed_nor_purged(storage: LocalStorage, root: Path) -> None:
    await storage.put("u/a", b"x", media_type="image/jpeg")
    (root / "u+/lost+found").mkdir()
    (root / "u+/README.TXT").write_text("the operator's")
    (root / "u+/.hidden").write_text("the operator's")

    assert [info.key async for info in storage.list("u/")] == ["u/a"]
    assert await storage.purge_versions("u/") == 0
    assert (root / "u+/README.TXT").exists() and (root / "u+/lost+found").exists()


@pytest.mark.parametrize("planted", ["folder", "file", "dangling", "fifo", "directory"])
async def test_nothing_planted_in_the_tree_leads_out_of_it_or_passes_for_absent(
    storage: LocalStorage, root: Path, tmp_path: Path, planted: str
) -> None:
    # Given something else than we would put, where an object or its folder belongs
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo").write_bytes(b"secret of the host")
    await storage.put("u/other/photo", b"x", media_type="image/jpeg")
    if planted == "folder":
        (root / "u+/evil+").symlink_to(outside)
    else:
        (root / "u+/evil+").mkdir()
        target = root / "u+/evil+/photo"
        if planted == "file":
            target.symlink_to(outside / "photo")
        elif planted == "dangling":
            target.symlink_to(outside / "nothing")
        elif planted == "fifo":
            os.mkfifo(target)
        else:
            target.mkdir()

    async with asyncio.timeout(5):
        for attempt in (
            storage.read("u/evil/photo"),
            storage.head("u/evil/photo"),
            storage.delete_many(["u/evil/photo"]),
            anext(aiter(storage.stream("u/evil/photo"))),
        ):
            with pytest.raises(StorageUnavailable) as raised:
                await attempt
            assert str(tmp_path) not in str(raised.value)
        with pytest.raises(StorageUnavailable):
            _ = [info async for info in storage.list("u/")]
    assert files(outside) == ["photo"]
    assert (outside / "photo").read_bytes() == b"secret of the host"


async def test_a_put_replaces_a_planted_link_and_writes_through_none(
    storage: LocalStorage, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo").write_bytes(b"of the host")
    await storage.put("u/other", b"x", media_type="image/jpeg")
    (root / "u+/photo").symlink_to(outside / "photo")
    (root / "u+/evil+").symlink_to(outside)

    with pytest.raises(StorageUnavailable):
        await storage.put("u/evil/photo", b"mine", media_type="image/jpeg")
    with pytest.raises(StorageUnavailable):
        await storage.purge_versions("u/evil/")
    await storage.put("u/photo", b"mine", media_type="image/jpeg")

    assert (outside / "photo").read_bytes() == b"of the host"
    assert files(outside) == ["photo"]
    assert await storage.read("u/photo") == b"mine"


async def test_the_root_itself_may_be_a_link(clock: FrozenClock, tmp_path: Path) -> None:
    (tmp_path / "large_disk").mkdir()
    (tmp_path / "objects").symlink_to(tmp_path / "large_disk")
    storage = LocalStorage(root=tmp_path / "objects", clock=clock, public_url="", signing_key=_KEY)

    await storage.put("a/b", b"x", media_type="image/jpeg")

    assert files(tmp_path / "large_disk") == ["a+", "a+/b"]


async def test_a_full_disk_is_told_and_leaves_nothing(root: Path) -> None:
    # Given a process that may not write files of more than 64 KiB
    program = f"""
        import asyncio, resource
        from pathlib import Path
        from statuette.ports.storage import StorageUnavailable
        from statuette.testing import FrozenClock
        from statuette_local.storage import LocalStorage

        async def main():
            storage = LocalStorage(root=Path({str(root)!r}), clock=FrozenClock(), public_url="", signing_key=bytes(32))
            await storage.put("a/small", b"x" * 1000, media_type="image/png")
            resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
            try:
                await storage.put("a/large", b"x" * 200_000, media_type="image/png")
            except StorageUnavailable as error:
                print(error.code, error.retryable, await storage.head("a/large"))

        asyncio.run(main())
    """
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, complaints = await run.communicate()

    assert (output.decode().strip(), complaints) == ("storage_unavailable True None", b"")
    assert files(root) == ["a+", "a+/small"]


async def test_a_writer_killed_midway_leaves_no_object(root: Path, storage: LocalStorage) -> None:
    # Given a process that writes without end and is killed while it does
    program = f"""
        import asyncio
        from pathlib import Path
        from statuette.testing import FrozenClock
        from statuette_local.storage import LocalStorage

        async def main():
            storage = LocalStorage(root=Path({str(root)!r}), clock=FrozenClock(), public_url="", signing_key=bytes(32))
            print("begun", flush=True)
            for n in range(10_000):
                await storage.put("a/photo", bytes([n % 256]) * 3_000_000, media_type="image/png")

        asyncio.run(main())
    """
    for delay_seconds in (0.02, 0.05, 0.09):
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-c", textwrap.dedent(program), stdout=subprocess.PIPE
        )
        assert run.stdout is not None
        await run.stdout.readline()
        await asyncio.sleep(delay_seconds)
        run.kill()
        await run.communicate()

        if await storage.head("a/photo") is not None:
            body = await storage.read("a/photo")
            assert (len(body), len(set(body))) == (3_000_000, 1)
    await storage.delete_many(["a/photo"])
    await storage.purge_versions("a/")
    assert files(root) == []


async def test_an_address_is_served_so_that_it_can_do_no_harm(storage: LocalStorage, clock: FrozenClock) -> None:
    await storage.put("a/photo", b"<script>alert(1)</script>", media_type="image/webp")
    url = storage.signed_url("a/photo", media_type="image/webp", expires_at=clock.now() + timedelta(minutes=15))
    clock.advance(timedelta(minutes=5))

    response = await request("GET", url)
    head = await request("HEAD", url)

    assert (response.status_code, response.content) == (200, b"<script>alert(1)</script>")
    for headers in (response.headers, head.headers):
        assert headers["content-type"] == "image/webp"
        assert headers["content-length"] == "25"
        assert headers["cache-control"] == "private, max-age=600"
        assert headers["content-security-policy"] == "sandbox"
        assert headers["x-content-type-options"] == "nosniff"
    assert head.content == b""


async def test_forged_expired_malformed_and_absent_look_alike(storage: LocalStorage, clock: FrozenClock) -> None:
    await storage.put("a/photo", b"secret", media_type="image/webp")
    until = clock.now() + timedelta(minutes=1)
    good = storage.signed_url("a/photo", media_type="image/webp", expires_at=until)
    other_key = LocalStorage(
        root=Path("unused"), clock=clock, public_url=good.partition("/x/")[0], signing_key=bytes(32)
    )
    expires = int(until.timestamp())
    bad = [
        good.replace(f"expires={expires}", f"expires={expires + 1}"),
        good.replace("webp", "svg%2Bxml"),
        good.replace("a/photo", "a/photo2"),
        good.replace("a/photo", "a/../a/photo2"),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.partition("&signature")[0],
        good.partition("signature=")[0] + "signature=%C3%A9",
        good.replace(f"expires={expires}", "expires=soon"),
        good.replace(f"expires={expires}", "expires=" + "9" * 5000),
        good.replace(f"expires={expires}", "expires=%D9%A1"),
        storage.signed_url("a/none", media_type="image/webp", expires_at=until),
        other_key.signed_url("a/photo", media_type="image/webp", expires_at=until),
        storage.signed_url("a/photo", media_type="image/webp", expires_at=clock.now()),
        storage.signed_url("a/photo", media_type="image/webp", expires_at=clock.now() - timedelta(days=400)),
    ]

    answers = [await request("GET", url) for url in bad]

    assert (await request("GET", good)).status_code == 200
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert b"secret" not in answers[0].content
    clock.advance(timedelta(minutes=1))
    assert (await request("GET", good)).status_code == 404


async def test_an_object_deleted_while_it_is_sent_arrives_whole(storage: LocalStorage) -> None:
    await storage.put("a/photo", b"p" * 3_000_000, media_type="image/webp")
    opened = await storage.open("a/photo")
    await storage.delete_many(["a/photo"])

    body = b"".join([chunk async for chunk in opened.chunks(100_000)])

    assert body == b"p" * 3_000_000
    with pytest.raises(ObjectNotFound):
        await storage.open("a/photo")


async def test_the_same_address_is_given_twice(storage: LocalStorage, clock: FrozenClock) -> None:
    until = datetime(2026, 2, 1, tzinfo=UTC)

    first = storage.signed_url("a/b", media_type="image/png", expires_at=until)
    clock.advance(timedelta(minutes=3))

    assert storage.signed_url("a/b", media_type="image/png", expires_at=until) == first


@pytest.mark.parametrize(
    ("media_type", "expires_at"),
    [
        ("image/png; charset=x", datetime(2026, 2, 1, tzinfo=UTC)),
        ("text/html\n", datetime(2026, 2, 1, tzinfo=UTC)),
        ("image/png", datetime(2026, 2, 1)),  # noqa: DTZ001 - the naive time is the case
    ],
)
async def test_what_could_not_be_signed_soundly_is_a_bug_of_the_caller(
    storage: LocalStorage, media_type: str, expires_at: datetime
) -> None:
    with pytest.raises(ValueError, match=r"media type|time zone"):
        storage.signed_url("a/b", media_type=media_type, expires_at=expires_at)


async def test_the_plugin_offers_one_store_and_its_public_routes(tmp_path: Path, clock: FrozenClock) -> None:
    context = PluginContext(
        config=LocalConfig(encrypted_volume=True),
        data_dir=tmp_path / "local",
        clock=clock,
        public_url="https://figurines.example",
        master_key=_KEY,
    )

    (store,) = plugin.storages(context)
    routes = plugin.routes(context)
    await store.put("a/b", b"x", media_type="image/png")

    assert files(tmp_path) == ["local", "local/objects", "local/objects/a+", "local/objects/a+/b"]
    assert store.capabilities.encrypted_at_rest
    address = store.signed_url("a/b", media_type="image/png", expires_at=clock.now() + timedelta(minutes=1))
    assert address is not None and address.startswith("https://figurines.example/x/local/a/b?")
    assert [handler.opt for handler in routes] == [{"public": True}] * 2
    assert _KEY.hex() not in repr(store) + repr(context) and "signing" not in repr(store)
