"""Data keys in a bucket: the suite over both stores, several processes, kills, and what the bucket holds afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette import ConfigurationError, PluginContext
from statuette.envelope import new_master_key_line
from statuette.ports.keys import KeyDestroyed, KeyStore, KeyStoreUnavailable
from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.keys_suite import KeyStoreSuite
from statuette.testing.servers.s3 import S3Access
from statuette.testing.servers.seaweedfs import SeaweedServer
from statuette.testing.wire import WireRequest
from statuette.values import SystemClock
from statuette_s3 import S3KeysConfig, keys_plugin

from .conftest import KEYS, raw_client, raw_history, through
from .middleman import Answer, Middleman, said

OpenKeys = Callable[..., KeyStore]


@pytest.fixture
def master_file(tmp_path: Path) -> Path:
    path = tmp_path / "master-keys"
    path.write_text(new_master_key_line())
    path.chmod(0o600)
    return path


def add_master_key(master_file: Path) -> None:
    with master_file.open("a") as file:
        file.write(new_master_key_line())


def forget_first_master_key(master_file: Path) -> None:
    master_file.write_text("".join(master_file.read_text().splitlines(keepends=True)[1:]))


@pytest.fixture
async def open_keys(own_folder: str, master_file: Path) -> AsyncIterator[OpenKeys]:
    """A store through the hook, as the platform opens it; closed after the test."""
    opened: list[KeyStore] = []

    def open_one(access: S3Access, **settings: Any) -> KeyStore:
        config = S3KeysConfig(
            **{
                "bucket": KEYS,
                "endpoint": access.url,
                "region": access.region,
                "access_key_id": access.access_key_id,
                "secret_access_key": access.secret_access_key,
                "prefix": own_folder,
                "timeout_seconds": 20.0,
                "master_key_file": str(master_file),
                **settings,
            }
        )
        context = PluginContext(config, master_file.parent / "s3_keys", SystemClock(), "http://localhost", bytes(32))
        opened.extend(keys_plugin.key_stores(context))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.aclose()


def place_of(own_folder: str, subject: str) -> str:
    return f"{own_folder}data-keys/{hashlib.sha256(subject.encode()).hexdigest()}"


def content_of(access: S3Access, own_folder: str, subject: str) -> bytes:
    client = raw_client(access)
    data: bytes = client.get_object(Bucket=KEYS, Key=place_of(own_folder, subject))["Body"].read()
    client.close()
    return data


def write(access: S3Access, own_folder: str, subject: str, content: bytes) -> None:
    client = raw_client(access)
    client.put_object(Bucket=KEYS, Key=place_of(own_folder, subject), Body=content)
    client.close()


class OnAStore(KeyStoreSuite):
    @pytest.fixture(autouse=True)
    def _masters(self, master_file: Path) -> None:
        self.master_file = master_file

    async def add_master_key(self, key_store: KeyStore) -> None:
        add_master_key(self.master_file)


class TestOnSeaweed(OnAStore):
    @pytest.fixture
    def key_store(self, open_keys: OpenKeys, seaweed: S3Access) -> KeyStore:
        return open_keys(seaweed)

    @pytest.fixture
    def reopened(self, key_store: KeyStore, open_keys: OpenKeys, seaweed: S3Access) -> KeyStore:
        return open_keys(seaweed)


class TestOnMoto(OnAStore):
    @pytest.fixture
    def key_store(self, open_keys: OpenKeys, moto: S3Access) -> KeyStore:
        return open_keys(moto)

    @pytest.fixture
    def reopened(self, key_store: KeyStore, open_keys: OpenKeys, moto: S3Access) -> KeyStore:
        return open_keys(moto)


@pytest.fixture(params=["seaweed", "moto"])
def access(request: pytest.FixtureRequest) -> S3Access:
    found: S3Access = request.getfixturevalue(request.param)
    return found


async def test_nothing_in_the_bucket_names_or_holds_the_subject_or_the_key(
    open_keys: OpenKeys, access: S3Access, own_folder: str
) -> None:
    data_key = await open_keys(access).create("acc_somebody")

    versions, markers, uploads = raw_history(access, KEYS, own_folder)
    record = content_of(access, own_folder, "acc_somebody")

    assert (len(versions), markers, uploads) == (1, [], [])
    assert "somebody" not in versions[0] and b"somebody" not in record and data_key not in record


async def test_destroying_leaves_a_tombstone_and_no_version_of_the_key(
    open_keys: OpenKeys, access: S3Access, own_folder: str, master_file: Path
) -> None:
    # Given a key that was rewrapped, in a bucket that keeps versions
    store = open_keys(access)
    await store.create("acc_1")
    kept = await store.create("acc_2")
    add_master_key(master_file)
    await store.rewrap_all()

    await store.destroy("acc_1")

    versions, markers, _ = raw_history(access, KEYS, own_folder)
    assert sorted(versions) == sorted(place_of("", subject) for subject in ("acc_1", "acc_2")), (
        "one version each: of the tombstone, and of the other key as it is wrapped now"
    )
    assert markers == []
    assert content_of(access, own_folder, "acc_1") == b"destroyed\n"
    assert await store.use("acc_2") == kept


async def test_a_destruction_that_was_cut_is_finished_by_the_next_rewrap(
    open_keys: OpenKeys, middleman: Middleman, seaweed: S3Access, own_folder: str
) -> None:
    # Given a process that could still write the tombstone, and nothing after that
    await open_keys(seaweed).create("acc_1")
    middleman.judge = lambda request: said(500, "InternalError") if "versions" in request.path else None
    cut = open_keys(through(middleman, seaweed))
    with pytest.raises(KeyStoreUnavailable):
        await cut.destroy("acc_1")
    assert len(raw_history(seaweed, KEYS, own_folder)[0]) == 2
    with pytest.raises(KeyDestroyed):
        await open_keys(seaweed).use("acc_1")

    assert await open_keys(seaweed).rewrap_all() == 0

    assert len(raw_history(seaweed, KEYS, own_folder)[0]) == 1


async def test_rewrapping_that_meets_a_destruction_does_not_undo_it(
    open_keys: OpenKeys, middleman: Middleman, seaweed: S3Access, own_folder: str, master_file: Path
) -> None:
    # Given a key that is destroyed between being read for rewrapping and being written
    slow, other = open_keys(through(middleman, seaweed)), open_keys(seaweed)
    await slow.create("acc_1")
    add_master_key(master_file)
    destroying: list[asyncio.Task[None]] = []

    def destroy_first(request: WireRequest) -> Answer | None:
        if request.method == "PUT" and "if-match" in request.headers and not destroying:
            destroying.append(asyncio.ensure_future(other.destroy("acc_1")))
            return said(503, "SlowDown")  # so that it comes again, when the other is done
        return None

    middleman.judge = destroy_first

    changed = await slow.rewrap_all()
    await asyncio.gather(*destroying)

    assert len(destroying) == 1
    assert changed == 0
    assert content_of(seaweed, own_folder, "acc_1") == b"destroyed\n"
    with pytest.raises(KeyDestroyed):
        await slow.use("acc_1")


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_creation_whose_answer_is_lost_finds_its_own_key_again(
    open_keys: OpenKeys, seaweed: S3Access, proxy: FaultProxy, lost: str
) -> None:
    shaky = open_keys(through(proxy, seaweed))
    await shaky.create("acc_0")  # has tried the bucket out
    proxy.cut(**({"after_sent": 200} if lost == "request" else {"after_received": 20}), times=3)

    keys: list[bytes] = []
    for _ in range(20):
        try:
            keys.append(await shaky.create("acc_1"))
        except KeyStoreUnavailable:
            continue
        break

    assert proxy.cuts >= 1
    assert keys == [await open_keys(seaweed).use("acc_1")]


_CREATE = """
import asyncio, sys
from pathlib import Path
import msgspec
from statuette import PluginContext, SystemClock
from statuette_s3 import S3KeysConfig, keys_plugin
config = msgspec.json.decode(sys.argv[1], type=S3KeysConfig)
(store,) = keys_plugin.key_stores(PluginContext(config, Path("x/y"), SystemClock(), "", bytes(32)))
async def main():
    await store.check()
    print("ready", flush=True)
    sys.stdin.readline()
    keys = await asyncio.gather(*(store.create(f"acc_{number}") for number in range(25)))
    print(" ".join(key.hex() for key in keys))
asyncio.run(main())
"""


async def test_processes_that_start_together_agree_on_every_key(
    open_keys: OpenKeys, seaweed: S3Access, own_folder: str, master_file: Path
) -> None:
    config = {
        "bucket": KEYS,
        "endpoint": seaweed.url,
        "access_key_id": seaweed.access_key_id,
        "secret_access_key": seaweed.secret_access_key,
        "prefix": own_folder,
        "master_key_file": str(master_file),
    }
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _CREATE,
            msgspec.json.encode(config).decode(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"

    outputs = [
        told.decode()
        for told, _ in await asyncio.wait_for(
            asyncio.gather(*(process.communicate(b"go\n") for process in processes)), 60
        )
    ]

    assert [process.returncode for process in processes] == [0] * 4
    assert len(set(outputs)) == 1
    assert len(set(outputs[0].split())) == 25
    assert (await open_keys(seaweed).use("acc_7")).hex() == outputs[0].split()[7]


async def test_more_keys_than_a_page_holds_are_all_rewrapped(
    open_keys: OpenKeys, moto: S3Access, middleman_of_moto: Middleman, master_file: Path
) -> None:
    # Given a store that lists five at a time
    def page(request: WireRequest) -> None:
        if "list-type=2" in request.path:
            request.path += "&max-keys=5"

    middleman_of_moto.judge = page
    store = open_keys(through(middleman_of_moto, moto))
    keys = {f"acc_{number}": await store.create(f"acc_{number}") for number in range(13)}
    add_master_key(master_file)

    assert await store.rewrap_all() == 13

    forget_first_master_key(master_file)
    assert {name: await store.use(name) for name in keys} == keys


async def test_keys_that_the_platforms_own_key_wrapped_open_until_a_file_has_taken_over(
    open_keys: OpenKeys, seaweed: S3Access, own_folder: str
) -> None:
    data_key = await open_keys(seaweed, master_key_file=None).create("acc_1")
    store = open_keys(seaweed)

    assert await store.use("acc_1") == data_key
    assert await store.rewrap_all() == 1
    assert b'"master":"mk-' in content_of(seaweed, own_folder, "acc_1")
    assert await store.use("acc_1") == data_key


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "nonsense", "another's"])
async def test_a_damaged_or_moved_record_is_named_and_stays_closed(
    open_keys: OpenKeys, seaweed: S3Access, own_folder: str, damage: str
) -> None:
    store = open_keys(seaweed)
    await store.create("acc_1")
    await store.create("acc_mallory")
    record = bytearray(content_of(seaweed, own_folder, "acc_1"))
    at = record.index(b'"sealed":"') + 14
    record[at] = ord("A") if record[at] != ord("A") else ord("B")
    damaged = {
        "flipped": bytes(record),
        "cut": bytes(record[:40]),
        "empty": b"",
        "nonsense": b"\xff\x00",
        "another's": content_of(seaweed, own_folder, "acc_mallory"),
    }
    write(seaweed, own_folder, "acc_1", damaged[damage])

    for call in (store.use, store.create):
        with pytest.raises(KeyStoreUnavailable, match=place_of("", "acc_1").partition("/")[2]):
            await call("acc_1")


async def test_one_damaged_record_does_not_stop_the_rewrapping_of_others(
    open_keys: OpenKeys, seaweed: S3Access, own_folder: str, master_file: Path
) -> None:
    store = open_keys(seaweed)
    keys = {name: await store.create(name) for name in ("acc_1", "acc_2", "acc_3")}
    write(seaweed, own_folder, "acc_2", b"{}")
    add_master_key(master_file)

    with pytest.raises(KeyStoreUnavailable, match="1 key records"):
        await store.rewrap_all()

    forget_first_master_key(master_file)
    assert {name: await store.use(name) for name in ("acc_1", "acc_3")} == {
        name: keys[name] for name in ("acc_1", "acc_3")
    }


async def test_a_missing_bucket_is_no_destroyed_key(open_keys: OpenKeys, seaweed: S3Access) -> None:
    store = open_keys(seaweed, bucket="elsewhere")

    for call in (store.use, store.destroy):
        with pytest.raises(KeyStoreUnavailable, match="There is no bucket 'elsewhere'") as caught:
            await call("acc_1")
        assert caught.value.retryable and caught.value.cure is not None and "s3_keys" in caught.value.cure
    with pytest.raises(ConfigurationError, match="There is no bucket 'elsewhere'"):
        await store.create("acc_1")


async def test_a_store_that_ignores_conditions_gets_no_key(
    open_keys: OpenKeys, middleman_of_moto: Middleman, moto: S3Access, own_folder: str
) -> None:
    def ignore(request: WireRequest) -> None:
        request.headers.pop("if-none-match", None)

    middleman_of_moto.judge = ignore

    with pytest.raises(ConfigurationError, match="ignores the header If-None-Match"):
        await open_keys(through(middleman_of_moto, moto)).create("acc_1")

    assert raw_history(moto, KEYS, own_folder) == ([], [], [])


async def test_keys_that_may_only_be_read_can_be_used(
    open_keys: OpenKeys, seaweed: S3Access, seaweed_server: SeaweedServer
) -> None:
    data_key = await open_keys(seaweed).create("acc_1")
    reader = open_keys(seaweed_server.reader)

    assert await reader.use("acc_1") == data_key
    with pytest.raises(KeyStoreUnavailable, match="s3:PutObject"):
        await reader.destroy("acc_1")


async def test_a_store_that_is_away_is_a_fault_that_passes(
    open_keys: OpenKeys, seaweed: S3Access, proxy: FaultProxy
) -> None:
    store = open_keys(through(proxy, seaweed))
    data_key = await store.create("acc_1")
    await proxy.refuse()

    for call in (store.create, store.use, store.destroy):
        with pytest.raises(KeyStoreUnavailable) as caught:
            await call("acc_1")
        assert caught.value.retryable
    with pytest.raises(KeyStoreUnavailable):
        await store.rewrap_all()

    await proxy.welcome()
    assert await store.use("acc_1") == data_key


@pytest.mark.parametrize(
    ("spoil", "cure"), [(lambda file: file.chmod(0o644), "chmod 600"), (lambda file: file.unlink(), "does not exist")]
)
async def test_a_missing_or_shared_master_key_file_is_refused(
    open_keys: OpenKeys,
    seaweed: S3Access,
    master_file: Path,
    own_folder: str,
    spoil: Callable[[Path], None],
    cure: str,
) -> None:
    spoil(master_file)

    with pytest.raises(ConfigurationError, match=cure):
        await open_keys(seaweed).create("acc_1")

    assert raw_history(seaweed, KEYS, own_folder) == ([], [], [])
