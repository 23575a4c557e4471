"""What is noted of somebody's use, what is not, and who may know of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from statuette.testing import FrozenClock
from tests.integration.road.faults import count
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
EVENTS = "SELECT kind, style, page, level, browser, system, network FROM usage_event ORDER BY created_at, id"
VISIT = {"events": [{"page": "gallery", "seconds": 41}]}


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock, trusted_proxies=("127.0.0.1",)) as site:
        await site.apply_brand(more="signup_credits = 20")
        yield site


async def noted(site: Site) -> list[dict[str, Any]]:
    async with site.platform.database.read() as reader:
        return await reader.rows(EVENTS)


async def visit(person: Visitor, **headers: str) -> int:
    told = await person.http.post("/v1/usage/events", json=VISIT, headers=headers)
    assert told.status_code == 202, told.text
    return int(told.json()["recorded"])


async def rated(person: Visitor, figurine: str, stars: int) -> int:
    return (await person.http.put(f"/v1/figurines/{figurine}/rating", json={"stars": stars})).status_code


@pytest.mark.rule("device.collect")
async def test_a_use_is_noted_in_words_of_closed_lists_and_the_device_by_its_kind_alone(
    site: Site, clock: FrozenClock
) -> None:
    # Given somebody with a browser that tells all about itself
    person = await site.person()
    person.http.headers.update({"User-Agent": FIREFOX, "X-Forwarded-For": "198.51.100.77"})

    # When they choose a style, look at pages, and rate what they got, twice
    job = await person.finished((await person.order((await person.upload())["id"]))["id"])
    figurine = job["figurines"][0]["id"]
    clock.advance(timedelta(seconds=1))
    assert await visit(person, **{"Idempotency-Key": "left"}) == 1
    assert await visit(person, **{"Idempotency-Key": "left"}) == 1
    clock.advance(timedelta(seconds=1))
    assert [await rated(person, figurine, stars) for stars in (2, 5)] == [200, 200]

    # Then each is noted once, and nothing of the browser but its family, of the address but its beginning
    device = {"browser": "firefox", "system": "linux", "network": "198.51.100.0/24"}
    empty = {"style": "", "page": "", "level": ""}
    assert await noted(site) == [
        {**empty, "kind": "ordered", "style": "chibi", **device},
        {**empty, "kind": "succeeded", "style": "chibi", **device},
        {**empty, "kind": "visited", "page": "gallery", "level": "under_1m", **device},
        {**empty, "kind": "rated", "style": "chibi", "level": "5", **device},
    ]
    assert (await person.http.get(f"/v1/figurines/{figurine}/rating")).json()["stars"] == 5
    assert (await person.http.delete(f"/v1/figurines/{figurine}/rating")).status_code == 204
    assert (await person.http.get(f"/v1/figurines/{figurine}/rating")).json()["stars"] is None
    for probe in ("usage_choices", "usage_devices"):
        assert (await site.platform.probes.one(probe)).ok

    # And no cookie but the session's own is ever set, and the whole address is forgotten after an hour
    assert "set-cookie" not in (await person.http.get("/v1/figurines")).headers
    assert site.platform.buckets._levels
    clock.advance(timedelta(hours=1))
    site.platform.buckets.forget()
    assert not site.platform.buckets._levels


@pytest.mark.rule("usage.collect", "purpose.analytics")
@pytest.mark.parametrize("how", ["objects", "browser", "restriction"])
async def test_nothing_is_noted_of_whoever_says_no_from_that_moment_on(
    site: Site, how: str, clock: FrozenClock
) -> None:
    # Given somebody who is counted, with a job that is under way
    person = await site.person()
    assert await visit(person) == 1
    upload = (await person.upload())["id"]
    job = await person.finished((await person.order(upload))["id"])
    before = len(await noted(site))

    # When they say no: in so many words, by their browser, or to every use
    clock.advance(timedelta(seconds=1))
    no = {"objects": {}, "browser": {"Sec-GPC": "1"}, "restriction": {}}[how]
    if how == "objects":
        said = await person.http.put("/v1/account/consents/analytics", json={"granted": False})
        assert said.status_code == 200, said.text
    if how == "restriction":
        asked = await person.http.post("/v1/account/requests", json={"kind": "restriction"})
        assert asked.status_code == 201, asked.text
    clock.advance(timedelta(seconds=1))

    # Then nothing of theirs is noted any more, and they are told so
    assert await visit(person, **no) == 0
    if how != "restriction":
        again = await person.finished((await person.order(upload))["id"])
        assert again["state"] == "succeeded"
    refused = await person.http.put(f"/v1/figurines/{job['figurines'][0]['id']}/rating", json={"stars": 3})
    assert (refused.status_code, refused.json()["code"]) == (403, "purpose_declined")
    assert len(await noted(site)) == before

    # And what is noted all the same is found
    assert (await site.platform.probes.one("usage_choices")).ok
    if how == "objects":
        async with site.platform.database.transaction() as tx:
            await tx.execute("UPDATE usage_event SET created_at = :now, network = '198.51.100.77'", now=tx.now)
        assert not (await site.platform.probes.one("usage_choices")).ok
        assert not (await site.platform.probes.one("usage_devices")).ok


async def test_a_front_end_cannot_write_what_is_in_no_list(site: Site) -> None:
    person = await site.person()

    for event in ({"page": "my diary", "seconds": 1}, {"page": "home", "seconds": -1}, {"page": "home"}):
        told = await person.http.post("/v1/usage/events", json={"events": [event]})
        assert told.status_code == 400, told.text
    for stars in (0, 6, 2.5):
        told = await person.http.put("/v1/figurines/fig_0/rating", json={"stars": stars})
        assert told.status_code == 400, told.text

    assert await count(site, "SELECT COUNT(*) AS n FROM usage_event") == 0
