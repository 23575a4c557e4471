"""A canary goes down the whole road, is erased and looked for everywhere; what is left on purpose is found."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis

from statuette.kernel import telemetry
from statuette.kernel.drill.drill import Drill, Options
from statuette.kernel.drill.report import PlaceReport, Report, Verdict
from statuette.kernel.journal.replay import Replay, Replayed
from statuette.ports.image import BlockedInput
from statuette.testing import FrozenClock
from tests.integration.road.faults import count, hurry, until
from tests.profiles import Profile
from tests.recorded import Recorded, recorder
from tests.site import Site, serving


class Box:
    """The canary's mailbox: the site's mailer keeps every letter."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def watch(self, address: str) -> None:
        pass

    def letters(self, address: str) -> list[str]:
        return [letter.text for letter in self._site.mailer.sent_to(address)]


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand(more="signup_credits = 3")
        hurry(site)
        yield site


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """This process's recording of spans, which can be configured only once."""
    with recorder() as recorded:
        yield recorded


@pytest.fixture
def copy_url(profile: Profile, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """An empty database for the restored copy, where the data is on PostgreSQL."""
    if profile.name == "embedded":
        yield None
        return
    with request.getfixturevalue("postgres_databases").empty() as url:
        yield url


async def drilled(site: Site, clock: FrozenClock, **options: Any) -> Report:
    brand = next(brand for brand in site.platform.brands.loaded() if brand.slug == "alpha")

    async def pause() -> None:
        clock.advance(timedelta(seconds=1))
        await asyncio.sleep(0.1)

    return await Drill(site.platform, brand, Box(site), pause, Options(wait_seconds=60, **options)).carry_out()


def places(report: Report) -> dict[str, PlaceReport]:
    return {each.place: each for each in report.places}


def leaks(report: Report) -> list[str]:
    return [f"{each.place}: {leak.what} in {leak.where}" for each in report.places for leak in each.leaks]


@pytest.mark.rule("queue.payload", "logs.content")
async def test_of_a_canary_nothing_is_left_but_what_a_rule_lets_stay(
    site: Site, clock: FrozenClock, copy_url: str | None, recorded: Recorded
) -> None:
    # Given somebody else who has a photo, and a brand that asks newcomers to state something
    other = await site.person()
    photo = await other.upload()
    await site.apply_brand(more="signup_credits = 3", adults_only=True)

    report = await drilled(site, clock, copy_url=copy_url)

    # Then every place was searched, was found to hold what was there, and holds nothing any more
    assert report.broken is None and leaks(report) == []
    seen = {
        place: (each.verdict, each.found_before > 0, each.items_before > 0) for place, each in places(report).items()
    }
    lived, told = (Verdict.residual, True, True), (Verdict.clean, False, True)
    own = {
        "embedded": {
            "database files": lived,
            "restored copy: database files": lived,
            "platform's folder": lived,
        },
        "cluster": {"Redis": told},
    }
    assert seen == {
        "database": lived,
        "object store": lived,
        "log of this process": told,
        "spans of this process": told,
        "addresses of pictures": (Verdict.clean, True, True),
        "data keys": (Verdict.clean, True, True),
        "restored copy: database": lived,
        "restored copy: folder": lived,
        **own[site.profile.name],
    }

    # What stays is named by its rule
    rules = {trace.rule for each in report.places for trace in each.residuals}
    assert rules == {"backup.erase", "request.keep", "consent.proof", "tombstone.keep", None}

    # And nobody else was touched, nor is anything of the drill left
    assert (await other.http.get(f"/v1/uploads/{photo['id']}")).status_code == 200
    assert await count(site, "SELECT COUNT(*) AS n FROM account") == 1
    assert await count(site, "SELECT COUNT(*) AS n FROM upkeep WHERE id LIKE 'drill:%'") == 0


async def test_what_a_careless_plugin_leaves_behind_is_found_in_every_kind_of_place(
    site: Site, clock: FrozenClock, copy_url: str | None, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an image model that tells what it was asked for to the log, a span and Redis, encoded or not
    submit, storage = site.scripted.submit, site.platform.plugins.storage
    put = storage.put

    async def telling(request: Any) -> Any:
        logging.getLogger("careless").warning(f"asked for {request.prompt}")
        with telemetry.span("careless", prompt=request.prompt.encode().hex()):
            pass
        if (url := site.platform.settings.redis_url) is not None:
            async with redis.Redis.from_url(url) as client:
                await client.hset(
                    f"{site.platform.settings.redis_namespace}:seen",
                    "prompt",
                    base64.b64encode(request.prompt.encode()),
                )
        return await submit(request)

    # A store that keeps a copy of what it is given, and what it was to purge
    async def twice(key: str, data: bytes, **more: Any) -> Any:
        if key.startswith("uploads/"):
            await put("cache/latest.gz", gzip.compress(data), media_type="application/gzip")
        return await put(key, data, **more)

    async def nothing(*_: Any) -> int:
        return 0

    # A table that nobody declared, and a replay after a restore that does nothing
    async def replayed(_: Any) -> Replayed:
        return Replayed()

    monkeypatch.setattr(site.scripted, "submit", telling)
    monkeypatch.setattr(storage, "put", twice)
    monkeypatch.setattr(storage, "purge_versions", nothing)
    await _note_every_order(site)
    monkeypatch.setattr(Replay, "catch_up", replayed)

    report = await drilled(site, clock, copy_url=copy_url)

    assert (report.broken, report.verdict) == (None, Verdict.leak)
    found = set(leaks(report))
    expected = {
        "database: typed words in careless_note.words",
        "log of this process: typed words in line",
        "spans of this process: typed words in line",
        "restored copy: database: typed words in generation.variables",
    }
    if site.profile.name == "cluster":
        namespace = site.platform.settings.redis_namespace
        expected |= {
            f"Redis: typed words in {namespace}:seen",
            "object store: photo as stored (photo.jpg) in cache/latest.gz (current)",
        }
        assert any("photo as stored (photo.jpg) in uploads/" in leak and "(earlier)" in leak for leak in found)
    else:
        expected |= {
            "database files: typed words in statuette.db",
            "platform's folder: photo as stored (photo.jpg) in plugins/local/objects/cache+/latest.gz",
        }
    assert expected - found == set()
    forms = {(each.place, leak.form) for each in report.places for leak in each.leaks}
    assert {("log of this process", "plain"), ("spans of this process", "hexadecimal")} <= forms
    assert "plain in compressed data" in {form for _, form in forms}


@pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
async def test_a_road_that_breaks_off_is_told_and_leaves_no_account_behind(site: Site, clock: FrozenClock) -> None:
    site.scripted.script(BlockedInput(reason="safety"))

    report = await drilled(site, clock, copy=False)

    assert (report.verdict, report.places) == (Verdict.blind, [])
    assert report.broken is not None and "blocked" in report.broken and report.steps[-1] == "get the pictures"
    await until(lambda: _no_account(site), clock)
    assert await count(site, "SELECT COUNT(*) AS n FROM upkeep WHERE id LIKE 'drill:%'") == 0


async def _no_account(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM account") == 0


async def _note_every_order(site: Site) -> None:
    note = "INSERT INTO careless_note (words) VALUES (NEW.variables)"
    if site.profile.name == "embedded":
        trigger = [f"CREATE TRIGGER careless AFTER INSERT ON generation BEGIN {note}; END"]
    else:
        trigger = [
            f"CREATE FUNCTION careless() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {note}; RETURN NEW; END $$",
            "CREATE TRIGGER careless AFTER INSERT ON generation FOR EACH ROW EXECUTE FUNCTION careless()",
        ]
    async with site.platform.database.transaction() as tx:
        for sql in ("CREATE TABLE careless_note (words TEXT)", *trigger):
            await tx.execute(sql)
