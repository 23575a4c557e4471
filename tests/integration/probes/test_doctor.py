"""The doctor is red until what must hold holds, and each check has a cure."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from statuette.kernel.backup import upkeep
from statuette.kernel.doctor import examine
from statuette_local.anchor import FileAnchor
from tests.commands import statuette
from tests.profiles import Profile
from tests.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        yield site


async def test_a_new_deployment_on_one_machine_is_not_well_and_is_told_why(site: Site) -> None:
    found = {each.name: each for each in await examine(site.platform)}

    ill = {name for name, each in found.items() if not each.ok}
    assert {"journal_off_host", "keys_off_host", "evidence_anchor_off_host", "restore_tried"} <= ill
    assert {"schema", "plugins", "object_store_answers", "key_store_answers", "scheduler"} <= found.keys() - ill
    assert {"tls", "personal_columns", "object_store", "erasure_journal"} <= found.keys() - ill
    assert all(found[name].cure for name in ill)


async def test_each_check_turns_green_when_it_holds(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with site.platform.database.transaction() as tx:
        for done in upkeep.Done:
            await upkeep.note(tx, done, "tests")
    journal = site.platform.journal.storage
    elsewhere = msgspec.structs.replace(journal.capabilities, off_host=True)
    monkeypatch.setattr(type(journal), "capabilities", property(lambda _: elsewhere))
    monkeypatch.setattr(site.platform.plugins.key_store, "off_host", True)
    monkeypatch.setattr(site.platform.plugins, "anchors", {"file": FileAnchor(tmp_path / "heads")})

    ill = {each.name for each in await examine(site.platform) if not each.ok}

    assert ill == set()


async def test_each_check_turns_red_when_it_does_not_hold(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.platform.scheduler.stop()
    async with site.platform.database.transaction() as tx:
        for done in upkeep.Done:
            await upkeep.note(tx, done, "tests")
        await tx.execute("UPDATE upkeep SET at = :then", then=tx.now - timedelta(days=91))
    late = {each.name for each in await examine(site.platform) if not each.ok}

    async with site.platform.database.transaction() as tx:
        await tx.execute("DELETE FROM migration WHERE name = '0001_tables'")
    monkeypatch.setattr(site.platform.plugins, "quarantined", [SimpleNamespace(name="broken")])
    broken = {each.name for each in await examine(site.platform) if not each.ok}

    assert {"scheduler", "restore_tried"} <= late
    assert ("backup" in late) is (site.platform.settings.profile == "embedded")
    assert {"schema", "plugins"} <= broken - late


@pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
async def test_the_command_tells_people_and_machines(site: Site) -> None:
    told = await statuette(site, "doctor", code=1)
    assert "FAIL  journal_off_host" in told.stdout and "cure: " in told.stdout

    found: list[dict[str, Any]] = json.loads(
        (await statuette(site, "doctor", "--restore-tried", "--json", code=1)).stdout
    )
    by_name = {each["name"]: each["ok"] for each in found}
    assert (by_name["restore_tried"], by_name["backup"], by_name["scheduler"]) == (True, False, True)
