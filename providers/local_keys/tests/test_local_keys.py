"""The suite over the folder of keys, and what is particular to it: files, modes, damage, several processes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from statuette import ConfigurationError, PluginContext
from statuette.envelope import new_master_key_line
from statuette.ports.keys import KeyDestroyed, KeyStore, KeyStoreUnavailable
from statuette.testing import FrozenClock
from statuette.testing.keys_suite import KeyStoreSuite
from statuette_local_keys import LocalKeysConfig, plugin

OpenStore = Callable[..., KeyStore]


@pytest.fixture
def open_store(tmp_path: Path) -> OpenStore:
    """A store through the hook, as the platform opens it."""

    def open_one(**settings: str) -> KeyStore:
        context = PluginContext(LocalKeysConfig(**settings), tmp_path, FrozenClock(), "http://localhost", bytes(32))
        (store,) = plugin.key_stores(context)
        return store

    return open_one


@pytest.fixture
def key_store(open_store: OpenStore) -> KeyStore:
    return open_store()


def key_file(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "keys").glob("??/*.key")
    return path


def everything_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


def append_master_key(tmp_path: Path) -> None:
    with (tmp_path / "master-keys").open("a") as file:
        file.write(new_master_key_line())


class TestLocalKeyStore(KeyStoreSuite):
    @pytest.fixture
    def key_store(self, open_store: OpenStore) -> KeyStore:
        return open_store()

    @pytest.fixture
    def reopened(self, key_store: KeyStore, open_store: OpenStore) -> KeyStore:
        return open_store()

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path

    async def add_master_key(self, key_store: KeyStore) -> None:
        await key_store.rewrap_all()  # the store has made its first master key when it has made a key
        append_master_key(self.tmp_path)


def test_opening_the_store_touches_no_file(open_store: OpenStore, tmp_path: Path) -> None:
    open_store()

    assert list(tmp_path.iterdir()) == []


async def test_files_are_for_this_user_alone_whatever_the_umask(key_store: KeyStore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        await key_store.create("acc_1")
        await key_store.destroy("acc_2")
    finally:
        os.umask(before)

    shared = [path for path in everything_below(tmp_path) if stat.S_IMODE(path.lstat().st_mode) & 0o077]

    assert shared == []


async def test_no_file_names_or_holds_the_subject_or_the_key(key_store: KeyStore, tmp_path: Path) -> None:
    data_key = await key_store.create("acc_somebody")

    for path in everything_below(tmp_path):
        assert "somebody" not in path.name
        assert path.is_dir() or (b"somebody" not in path.read_bytes() and data_key not in path.read_bytes())


async def test_destroying_overwrites_the_bytes_before_the_name_goes(key_store: KeyStore, tmp_path: Path) -> None:
    # Given a second name for the file, which keeps its bytes in sight
    await key_store.create("acc_1")
    witness = tmp_path / "witness"
    os.link(key_file(tmp_path), witness)
    before = witness.read_bytes()

    await key_store.destroy("acc_1")

    assert list((tmp_path / "keys").glob("??/*.key")) == []
    assert len(witness.read_bytes()) == len(before)
    assert sum(a == b for a, b in zip(before, witness.read_bytes(), strict=True)) < len(before) // 4


async def test_rewrapping_overwrites_the_old_wrapping(key_store: KeyStore, tmp_path: Path) -> None:
    await key_store.create("acc_1")
    witness = tmp_path / "witness"
    os.link(key_file(tmp_path), witness)
    before = witness.read_bytes()
    append_master_key(tmp_path)

    changed = await key_store.rewrap_all()

    assert changed == 1
    assert witness.read_bytes() != before
    assert key_file(tmp_path).read_bytes() not in (before, witness.read_bytes())


async def test_after_rewrapping_the_old_master_key_can_go(key_store: KeyStore, tmp_path: Path) -> None:
    data_key = await key_store.create("acc_1")
    append_master_key(tmp_path)
    await key_store.rewrap_all()
    master_file = tmp_path / "master-keys"

    master_file.write_text(master_file.read_text().splitlines()[1])

    assert await key_store.use("acc_1") == data_key


async def test_before_rewrapping_a_missing_master_key_is_named(key_store: KeyStore, tmp_path: Path) -> None:
    await key_store.create("acc_1")
    master_file = tmp_path / "master-keys"
    old_id, old_secret = master_file.read_text().split()
    master_file.write_text(new_master_key_line())

    with pytest.raises(KeyStoreUnavailable, match=old_id) as caught:
        await key_store.use("acc_1")

    assert old_secret not in str(caught.value)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "nonsense"])
async def test_a_damaged_key_file_is_named_and_stays_closed(key_store: KeyStore, tmp_path: Path, damage: str) -> None:
    await key_store.create("acc_1")
    path = key_file(tmp_path)
    record = bytearray(path.read_bytes())
    place = record.index(b'"sealed":"') + 14
    record[place] = ord("A") if record[place] != ord("A") else ord("B")
    damaged = {"flipped": bytes(record), "cut": bytes(record[:40]), "empty": b"", "nonsense": b"\xff\x00"}
    path.write_bytes(damaged[damage])

    for call in (key_store.use, key_store.create):
        with pytest.raises(KeyStoreUnavailable, match=path.name):
            await call("acc_1")


async def test_a_key_file_put_in_the_place_of_anothers_stays_closed(key_store: KeyStore, tmp_path: Path) -> None:
    # Given an attacker who can write files and hopes that Bob's data will be encrypted with the attacker's own key
    await key_store.create("acc_mallory")
    mallory = key_file(tmp_path)
    await key_store.create("acc_bob")
    (bob,) = (path for path in (tmp_path / "keys").glob("??/*.key") if path != mallory)

    bob.write_bytes(mallory.read_bytes())

    with pytest.raises(KeyStoreUnavailable):
        await key_store.use("acc_bob")


async def test_a_key_file_relabelled_with_another_master_key_stays_closed(key_store: KeyStore, tmp_path: Path) -> None:
    await key_store.create("acc_1")
    append_master_key(tmp_path)
    path = key_file(tmp_path)
    old, new = (line.split()[0].encode() for line in (tmp_path / "master-keys").read_text().splitlines())

    path.write_bytes(path.read_bytes().replace(old, new))

    with pytest.raises(KeyStoreUnavailable, match="damaged"):
        await key_store.use("acc_1")


async def test_one_damaged_file_does_not_stop_the_rewrapping_of_others(key_store: KeyStore, tmp_path: Path) -> None:
    # Given three keys, one of them damaged, and a new master key
    await key_store.create("acc_broken")
    broken = key_file(tmp_path)
    keys = {name: await key_store.create(name) for name in ("acc_1", "acc_2")}
    broken.write_bytes(b"{}")
    append_master_key(tmp_path)

    with pytest.raises(KeyStoreUnavailable, match=broken.name):
        await key_store.rewrap_all()

    newest = (tmp_path / "master-keys").read_text().splitlines()[1].split()[0].encode()
    assert all(newest in path.read_bytes() for path in (tmp_path / "keys").glob("??/*.key") if path != broken)
    assert {name: await key_store.use(name) for name in keys} == keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
async def test_a_master_key_file_that_others_may_read_is_refused(
    key_store: KeyStore, tmp_path: Path, mode: int
) -> None:
    await key_store.create("acc_1")
    (tmp_path / "master-keys").chmod(mode)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        await key_store.use("acc_1")


async def test_a_key_folder_that_others_may_enter_is_refused(open_store: OpenStore, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o755)

    with pytest.raises(ConfigurationError, match="chmod 700"):
        await open_store().create("acc_1")


async def test_a_lost_master_key_file_is_not_silently_replaced(key_store: KeyStore, tmp_path: Path) -> None:
    await key_store.create("acc_1")
    (tmp_path / "master-keys").unlink()

    with pytest.raises(ConfigurationError, match="backup"):
        await key_store.create("acc_2")

    assert not (tmp_path / "master-keys").exists()


async def test_a_configured_master_key_file_is_never_made_up(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(master_key_file=str(tmp_path / "mounted"))

    with pytest.raises(ConfigurationError, match="mounted"):
        await store.create("acc_1")


async def test_folder_and_master_key_file_can_be_elsewhere(open_store: OpenStore, tmp_path: Path) -> None:
    master_file = tmp_path / "secret" / "masters"
    master_file.parent.mkdir()
    master_file.write_text(f"# made in spring\n\n{new_master_key_line()}")
    master_file.chmod(0o600)
    store = open_store(directory=str(tmp_path / "vault"), master_key_file=str(master_file))

    data_key = await store.create("acc_1")

    assert await store.use("acc_1") == data_key
    assert len(list((tmp_path / "vault").glob("??/*.key"))) == 1


@pytest.mark.parametrize("content", ["", "# nothing\n", "mk-1 c2hvcnQ=\n", "mk-1\n", "MK bad!\n", "\xff\n"])
async def test_a_master_key_file_that_makes_no_sense_is_refused_without_being_shown(
    open_store: OpenStore, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "masters"
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)

    with pytest.raises(ConfigurationError) as caught:
        await open_store(master_key_file=str(path)).create("acc_1")

    assert "c2hvcnQ" not in str(caught.value)
    assert str(path) in str(caught.value)


async def test_a_repeated_master_key_id_is_refused(open_store: OpenStore, tmp_path: Path) -> None:
    path = tmp_path / "masters"
    line = new_master_key_line()
    path.write_text(line + line)
    path.chmod(0o600)

    with pytest.raises(ConfigurationError, match=":2 repeats"):
        await open_store(master_key_file=str(path)).create("acc_1")


async def test_an_interrupted_destruction_is_finished_by_the_next_rewrap(key_store: KeyStore, tmp_path: Path) -> None:
    # Given a process killed after the tombstone was written: the key file is still there, and a half-written copy
    await key_store.create("acc_1")
    path = key_file(tmp_path)
    path.with_suffix(".gone").write_text("destroyed\n")
    path.with_suffix(".new").write_bytes(path.read_bytes())
    with pytest.raises(KeyDestroyed):
        await key_store.use("acc_1")

    changed = await key_store.rewrap_all()

    assert changed == 0
    assert [found.suffix for found in (tmp_path / "keys").glob("??/*.*")] == [".gone"]


async def test_a_folder_that_does_not_work_is_a_fault_that_may_pass(open_store: OpenStore, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")

    with pytest.raises(KeyStoreUnavailable) as caught:
        await open_store().create("acc_1")

    assert caught.value.retryable


async def test_a_master_key_that_is_made_wraps_from_then_on(tmp_path: Path, open_store: OpenStore) -> None:
    store = open_store()
    before = await store.create("acc_1")

    newest = await store.add_master_key()

    after = await store.create("acc_2")
    assert [await store.use("acc_1"), await store.use("acc_2")] == [before, after]
    assert [line.split()[0] for line in (tmp_path / "master-keys").read_text().splitlines()][1:] == [newest]
    assert (tmp_path / "master-keys").stat().st_mode & 0o777 == 0o600
    assert await store.rewrap_all() == 1


async def test_a_master_key_file_of_the_operator_is_left_alone(tmp_path: Path, open_store: OpenStore) -> None:
    (tmp_path / "mine").write_text(new_master_key_line())
    (tmp_path / "mine").chmod(0o600)
    store = open_store(master_key_file=str(tmp_path / "mine"))

    with pytest.raises(ConfigurationError, match="yours to change"):
        await store.add_master_key()
