"""An embedded deployment is backed up while it serves, and restored without bringing back what was erased."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from statuette.kernel.backup import upkeep
from statuette.kernel.cli.serve import only_process
from statuette.testing.pictures import photo_jpeg
from tests.commands import statuette
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

pytestmark = pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
Serve = Callable[[], Any]


@pytest.fixture
def serve(tmp_path: Path, profile: Profile) -> Serve:
    @asynccontextmanager
    async def started() -> AsyncIterator[Site]:
        async with serving(tmp_path, profile) as site:
            await site.apply_brand()
            yield site

    return started


async def test_a_deployment_comes_back_but_not_what_was_erased(serve: Serve, tmp_path: Path) -> None:
    # Given a person with a saved photo, one that ends soon, and two figurines
    async with serve() as site:
        person = await site.person(credits=5)
        soon, saved = await person.upload(), await person.upload(photo_jpeg(seed=2))
        await person.http.put(f"/v1/uploads/{saved['id']}/saved")
        figurines = []
        for _ in range(2):
            job = await person.finished((await person.order(saved["id"]))["id"])
            figurines.append(job["figurines"][0])
        token, email = person.http.headers["Authorization"], person.email

        # When it is backed up while people go on, and one figurine is deleted after that
        busy = asyncio.create_task(_look_around(person))
        made = await _told(site, "backup", str(tmp_path / "backups"), "--keys-to", str(tmp_path / "keys"), "--json")
        busy.cancel()
        assert (await person.http.delete(f"/v1/figurines/{figurines[0]['id']}")).status_code == 204
        await until(lambda: _no_object(site, figurines[0]["id"]))

    # Then photos that end soon are in no backup, and what stays is
    folder = Path(made["folder"])
    names = [str(path) for path in (folder / "objects").rglob("*.*")]
    assert not any(soon["id"] in name for name in names) and any(saved["id"] in name for name in names)
    assert (made["manifest"]["objects"], made["manifest"]["left_out"] > 0, made["keys"]) == (len(names), True, 1)

    # When the machine is lost but for its journal and its master keys, and the backup is restored
    _lose(tmp_path, objects=True, keys=True)
    told = await _told(site, "restore", str(folder), "--keys-from", made["keys_folder"], "--json")

    # Then all is as it was, and what was erased since is erased again
    assert (told["erased_again"], told["keys"]) == (1, 1)
    async with serve() as site:
        person = site.visitor()
        person.http.headers["Authorization"] = token
        assert (await person.http.get("/v1/account")).json()["email"] == email
        listed = (await person.http.get("/v1/figurines")).json()["items"]
        assert [each["id"] for each in listed] == [figurines[1]["id"]]
        image = await person.http.get(listed[0]["images"]["original"])
        assert image.status_code == 200 and image.content.startswith(b"\x89PNG")
        assert (await person.http.get(f"/v1/figurines/{figurines[0]['id']}")).status_code == 404
        assert await _no_object(site, figurines[0]["id"])
        async with site.platform.database.read() as reader:
            assert await upkeep.last(reader, upkeep.Done.restore_tried) is not None


async def test_a_restore_takes_nothing_that_is_there_unasked(serve: Serve, tmp_path: Path) -> None:
    async with serve() as site:
        person = await site.person()
        made = await _told(site, "backup", str(tmp_path / "backups"), "--json")
        # While it serves
        with only_process(site.platform.settings.data_dir):  # as `statuette serve` does
            refused = await statuette(site, "restore", made["folder"], "--replace", code=2)
        assert (refused.code, "Another process" in refused.stderr) == (2, True)
        tried = await _told(site, "restore", made["folder"], "--try", "--json")
        assert (tried["whole"], tried["account"]) == (True, 1)

    refused = await statuette(site, "restore", made["folder"], code=2)
    assert (refused.code, "--replace" in refused.stderr) == (2, True)
    async with serve() as site:
        person = _again(site, person)
        assert (await person.http.get("/v1/account")).status_code == 200


@pytest.mark.parametrize("what", ["database.sqlite", "objects.jsonl", "manifest.json", "object"])
async def test_a_backup_with_one_bit_wrong_is_not_restored(serve: Serve, tmp_path: Path, what: str) -> None:
    async with serve() as site:
        person = await site.person()
        saved = await person.upload()
        await person.http.put(f"/v1/uploads/{saved['id']}/saved")
        made = await _told(site, "backup", str(tmp_path / "backups"), "--json")
    folder = Path(made["folder"])
    path = next((folder / "objects").rglob("*.*")) if what == "object" else folder / what
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data[:-40] if what == "manifest.json" else data)  # one letter of a text would still be a text

    refused = await statuette(site, "restore", str(folder), "--replace", code=2)

    assert refused.stderr.startswith("error: ")
    async with serve() as site:  # what is there is untouched
        assert (await _again(site, person).http.get(f"/v1/uploads/{saved['id']}")).status_code == 200


async def test_without_its_journal_a_backup_is_restored_only_if_that_is_said(serve: Serve, tmp_path: Path) -> None:
    async with serve() as site:
        person = await site.person()
        upload = await person.upload()
        await person.http.delete(f"/v1/uploads/{upload['id']}")
        await until(lambda: _no_object(site, upload["id"]))
        made = await _told(site, "backup", str(tmp_path / "backups"), "--json")
    for path in (tmp_path / "data" / "plugins" / "local" / "objects").rglob("jst_*"):
        path.unlink()

    refused = await statuette(site, "restore", made["folder"], "--replace", code=2)
    assert (refused.code, "no erasure journal" in refused.stderr) == (2, True)
    await _told(site, "restore", made["folder"], "--replace", "--without-journal", "--json")


async def test_backups_whose_time_is_over_are_removed(serve: Serve, tmp_path: Path) -> None:
    old = tmp_path / "backups" / "statuette-20200101T000000Z"
    old.mkdir(parents=True)
    other = tmp_path / "backups" / "of-something-else"
    other.mkdir()
    async with serve() as site:
        made = await _told(site, "backup", str(tmp_path / "backups"), "--json")

        assert made["expired"] == [old.name]
        assert sorted(path.name for path in old.parent.iterdir()) == sorted([other.name, Path(made["folder"]).name])

    _date(Path(made["folder"], "manifest.json"), site.platform.clock.now() - timedelta(days=31))
    refused = await statuette(site, "restore", made["folder"], "--replace", code=2)
    assert (refused.code, "older than the 30 days" in refused.stderr) == (2, True)


def _date(manifest: Path, moment: datetime) -> None:
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "made_at": moment.isoformat()}))


async def _look_around(person: Visitor) -> None:
    while True:
        assert (await person.http.get("/v1/figurines")).status_code == 200
        await person.upload(photo_jpeg(seed=3))


async def _no_object(site: Site, record_id: str) -> bool:
    return not any(record_id in key for key in site.objects())


def _again(site: Site, person: Visitor) -> Visitor:
    visitor = site.visitor()
    visitor.http.headers["Authorization"] = person.http.headers["Authorization"]
    return visitor


def _lose(folder: Path, *, objects: bool, keys: bool) -> None:
    data = folder / "data"
    for path in (*data.glob("*.db*"), *folder.glob("*.db*"), *folder.glob("*.sqlite*"), *data.glob("*.sqlite*")):
        path.unlink()
    if objects:
        for path in (data / "plugins" / "local" / "objects").rglob("*"):
            if path.is_file() and "jst_" not in path.name:
                path.unlink()
    if keys:
        for path in (data / "plugins" / "local_keys" / "keys").rglob("*.key"):
            path.unlink()


async def _told(site: Site, *arguments: str) -> dict[str, Any]:
    return dict(json.loads((await statuette(site, *arguments)).stdout))
