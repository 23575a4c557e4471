"""Master keys are rotated while people are served: everything stays readable, also when the rotation is killed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from statuette.envelope import new_master_key_line
from statuette.kernel.cli.keys import rewrap_by_parts
from statuette.ports.keys import KeyDestroyed, KeyStore
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

PEOPLE = 12


async def test_everything_stays_readable_while_keys_are_rotated(tmp_path: Path, profile: Profile) -> None:
    # Given people who use the site without a pause, some of whom come and one of whom goes
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        people = [await site.person() for _ in range(PEOPLE)]
        store = site.platform.plugins.key_store
        keys = {person.account_id: await store.use(person.account_id) for person in people}
        await store.create("acc_gone")
        over = asyncio.Event()
        using = [asyncio.create_task(_use(person, store, keys[person.account_id], over)) for person in people]

        # When the keys are rotated again and again
        shares: list[int] = []
        changed = []
        for number in range(3):
            await _newer_master_key(store, tmp_path)
            if number == 1:
                await store.destroy("acc_gone")
            newcomer = await site.person()
            keys[newcomer.account_id] = await store.use(newcomer.account_id)
            done, failed = await rewrap_by_parts(store, lambda part, _: shares.append(part))
            assert failed == []
            changed.append(done)
        over.set()
        served = await asyncio.gather(*using)

        # Then nobody noticed, progress was told, and the destroyed one has not come back
        assert all(count > 3 for count in served), served
        assert changed[0] >= PEOPLE and shares == [*range(1, 257)] * 3
        assert {name: await store.use(name) for name in keys} == keys
        assert await store.rewrap_all() == 0
        with pytest.raises(KeyDestroyed):
            await store.use("acc_gone")


# A bucket's is cut off in the provider's own tests.
@pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
async def test_a_rotation_that_is_killed_is_finished_by_the_next(tmp_path: Path, profile: Profile) -> None:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        person = await site.person()
        store = site.platform.plugins.key_store
        keys = {f"acc_{number}": await store.create(f"acc_{number}") for number in range(400)}

        # When the command is killed once it has told of progress
        process = await asyncio.create_subprocess_exec(
            *_command("rotate"), env=_environment(site), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"made the master key ")
        assert b"%" in await process.stdout.readline()
        process.kill()
        in_time = await process.wait() == -signal.SIGKILL

        # Then all is readable, and the rest is done by the next
        assert {name: await store.use(name) for name in keys} == keys
        assert (await person.http.get("/v1/account")).json()["email"] == person.email
        finished = await asyncio.to_thread(
            subprocess.run, _command("rewrap", "--json"), env=_environment(site), capture_output=True, text=True
        )
        told = json.loads(finished.stdout)
        assert (finished.returncode, told["failed"], told["master_key"]) == (0, [], None)
        assert in_time and 0 < told["rewrapped"] < 401
        assert await store.rewrap_all() == 0
        assert {name: await store.use(name) for name in keys} == keys


async def _use(person: Visitor, store: KeyStore, key: bytes, over: asyncio.Event) -> int:
    """Read what is sealed, until it is over; how often it went well."""
    count = 0
    while not over.is_set():
        account = await person.http.get("/v1/account")
        assert (account.status_code, account.json()["email"]) == (200, person.email)
        assert await store.use(person.account_id) == key  # the platform remembers it for seconds
        count += 1
    return count


async def _newer_master_key(store: KeyStore, folder: Path) -> None:
    if store.name == "local_keys":
        await store.add_master_key()
        return
    # What an operator does who sets `master_key_file`, and later appends to it.
    path = folder / "master-keys-of-the-operator"
    with path.open("a") as file:
        file.write(new_master_key_line())
    path.chmod(0o600)
    store._masters._file = path  # type: ignore[attr-defined]


def _command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "statuette"), "keys", *arguments]


def _environment(site: Site) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "STATUETTE_DATA_DIR": str(site.platform.settings.data_dir)}
