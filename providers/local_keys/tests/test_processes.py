"""Several real processes over one folder of keys: races, and kills at any moment."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

from statuette.envelope import new_master_key_line
from statuette.ports.keys import KeyDestroyed
from statuette_local_keys.store import LocalKeyStore
from statuette_local_keys.vault import Vault

_CREATE = """
import sys, time
from pathlib import Path
from statuette_local_keys.vault import Vault
folder, start_at = Path(sys.argv[1]), float(sys.argv[2])
vault = Vault(folder / "keys", folder / "master-keys", make_master_file=True)
while time.time() < start_at: pass
print(" ".join(vault.create(f"acc_{number}").hex() for number in range(25)))
"""

_REWRAP = """
import sys
from pathlib import Path
from statuette_local_keys.vault import Vault
folder = Path(sys.argv[1])
vault = Vault(folder / "keys", folder / "master-keys", make_master_file=True)
print("ready", flush=True)
for shard in range(256): vault.rewrap(f"{shard:02x}")
"""

_DESTROY = """
import sys
from pathlib import Path
from statuette_local_keys.vault import Vault
folder = Path(sys.argv[1])
vault = Vault(folder / "keys", folder / "master-keys", make_master_file=True)
print("ready", flush=True)
for number in range(int(sys.argv[2])): vault.destroy(f"acc_{number}")
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def open_store(tmp_path: Path) -> LocalKeyStore:
    return LocalKeyStore(Vault(tmp_path / "keys", tmp_path / "master-keys", make_master_file=True))


def append_master_key(tmp_path: Path) -> str:
    line = new_master_key_line()
    with (tmp_path / "master-keys").open("a") as file:
        file.write(line)
    return line.split()[0]


def files_of(tmp_path: Path, kind: str) -> list[Path]:
    return list((tmp_path / "keys").glob(f"??/*.{kind}"))


def kill_in_the_middle(process: subprocess.Popen[str], delay_seconds: float) -> bool:
    """Kill once the process works; False when it was faster."""
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(delay_seconds)
    running = process.poll() is None
    process.kill()
    process.wait()
    process.stdout.close()
    return running


def test_processes_that_start_together_agree_on_every_key(tmp_path: Path) -> None:
    # Given an empty folder without even a master key, and six processes that begin at the same moment
    start_at = time.time() + 1.5
    processes = [start(_CREATE, tmp_path, start_at) for _ in range(6)]

    outputs = [process.communicate(timeout=60)[0] for process in processes]

    assert [process.returncode for process in processes] == [0] * 6
    assert len(set(outputs)) == 1
    assert len(set(outputs[0].split())) == 25
    assert len((tmp_path / "master-keys").read_text().splitlines()) == 1
    assert files_of(tmp_path, "new") == []


async def test_keys_survive_kills_in_the_middle_of_rewrapping(tmp_path: Path) -> None:
    # Given sixty keys, and how long it takes on this disk to wrap them all anew
    store = open_store(tmp_path)
    keys = {f"acc_{number}": await store.create(f"acc_{number}") for number in range(60)}
    append_master_key(tmp_path)
    started = time.perf_counter()
    assert await store.rewrap_all() == 60
    whole_seconds = time.perf_counter() - started
    chance = random.Random(7)
    kills = 0

    # When rewrapping to ever newer master keys is killed at moments of chance
    for _ in range(60):
        newest = append_master_key(tmp_path)
        process = start(_REWRAP, tmp_path)
        kills += await asyncio.to_thread(kill_in_the_middle, process, chance.uniform(0.0, whole_seconds))

        # Then every key is still readable
        assert {name: await store.use(name) for name in keys} == keys
        if kills == 8:
            break

    # And a last run finishes the work
    await store.rewrap_all()
    assert kills == 8
    records = [path.read_text() for path in files_of(tmp_path, "key")]
    assert len(records) == 60 and all(f'"{newest}"' in record for record in records)
    assert files_of(tmp_path, "new") == []


async def test_rewrapping_and_destroying_at_the_same_time_brings_nothing_back(tmp_path: Path) -> None:
    # Given that each writes where the other reads
    store = open_store(tmp_path)
    for number in range(40):
        await store.create(f"acc_{number}")
    append_master_key(tmp_path)

    processes = [start(_REWRAP, tmp_path), start(_DESTROY, tmp_path, 40), start(_REWRAP, tmp_path)]
    for process in processes:
        await asyncio.to_thread(process.communicate, timeout=60)

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert files_of(tmp_path, "key") == files_of(tmp_path, "new") == []
    assert len(files_of(tmp_path, "gone")) == 40


async def test_a_destruction_that_was_killed_can_be_repeated_and_loses_no_other_key(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    keys = {f"acc_{number}": await store.create(f"acc_{number}") for number in range(60)}
    process = start(_DESTROY, tmp_path, 50)
    await asyncio.to_thread(kill_in_the_middle, process, 0.015)

    for number in range(50):
        await store.destroy(f"acc_{number}")

    states: list[bool | None] = []
    for name in keys:
        try:
            states.append(await store.use(name) == keys[name])
        except KeyDestroyed:
            states.append(None)
    assert states == [None] * 50 + [True] * 10
    assert len(files_of(tmp_path, "key")) == 10
    assert files_of(tmp_path, "new") == []
