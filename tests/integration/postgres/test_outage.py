"""A site whose PostgreSQL goes away: what clients are told, and that nothing accepted is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from statuette.kernel.db import postgres as engine
from statuette.kernel.db.errors import ConnectionLost
from statuette.kernel.db.schema import migrate
from statuette.kernel.domain.credits.verify import verify
from statuette.testing.scripted_image import Answer, Raise, ScriptedImageProvider
from statuette.testing.servers import PostgresServer
from statuette.values import CostMicros
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.site import Site, serving

pytestmark = pytest.mark.parametrize("profile_name", ["cluster"], indirect=True)


@pytest.fixture
def price() -> CostMicros | None:
    """Of a call; the provider's own unless a test says otherwise."""
    return None


@pytest.fixture
async def site(
    tmp_path: Path, profile: Profile, postgres: PostgresServer, price: CostMicros | None
) -> AsyncIterator[Site]:
    """A site on a PostgreSQL of its own, with a provider that takes a moment."""
    url = await asyncio.to_thread(postgres.create_database, "site")
    migrating = engine.TunedPostgres(url)
    await migrating.open()
    await migrate(migrating)
    await migrating.close()
    provider = ScriptedImageProvider(default=Answer(delay=timedelta(milliseconds=300)), price=price)
    async with serving(tmp_path, replace(profile, database_url=url), scripted=provider) as site:
        await site.apply_brand()
        yield site


async def test_while_the_database_is_away_requests_are_told_so_and_when_to_come_back(
    site: Site, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a site at work
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 0.5)
    person = await site.person(credits=5)
    photo = await person.upload()
    await asyncio.to_thread(postgres.kill)

    # When the database is killed
    for method, path, body in (
        ("GET", f"/v1/uploads/{photo['id']}", None),
        ("POST", "/v1/generations", {"inputs": [{"upload_id": photo["id"]}], "style": "chibi"}),
        ("PUT", "/v1/account/consents/marketing", {"granted": True}),
    ):
        answer = await person.http.request(method, path, json=body)

        # Then each request hears it soon, in a way that programs understand
        assert answer.status_code == 503, (path, answer.text)
        problem = answer.json()
        assert problem["code"] in ("database_unavailable", "database_connection_lost") and problem["retryable"]
        assert int(answer.headers["retry-after"]) > 0
        assert answer.elapsed < timedelta(seconds=5)
    ready = await person.http.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "database_unavailable")
    assert (await person.http.get("/healthz")).status_code == 200

    # And the same process serves as before when it is back
    await asyncio.to_thread(postgres.start)
    await until(lambda: is_ready(site))
    job = await person.finished((await person.order(photo["id"]))["id"])
    assert job["state"] == "succeeded"


async def is_ready(site: Site) -> bool:
    visitor = site.visitor()
    return (await visitor.http.get("/readyz")).status_code == 200


async def test_a_picture_that_was_paid_for_is_kept_while_the_database_is_away(
    site: Site, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a job whose call is under way
    monkeypatch.setattr(engine, "_PATIENCE_SECONDS", 0.3)
    person = await site.person(credits=5)
    photo = await person.upload()
    job = await person.order(photo["id"])
    await site.scripted.wait_for_calls(1)

    # When the database is away for longer than any transaction waits, while the provider answers
    await asyncio.to_thread(postgres.kill)
    await until(lambda: answered(site))
    await asyncio.sleep(1.0)  # longer than the patience above
    await asyncio.to_thread(postgres.start)
    await until(lambda: is_ready(site))

    # Then the picture is delivered all the same, and the provider was asked once
    ended = await person.finished(job["id"], seconds=30)
    assert (ended["state"], len(ended["figurines"])) == ("succeeded", 1)
    assert len(site.scripted.calls) == 1


async def answered(site: Site) -> bool:
    return site.scripted.in_flight == 0


@pytest.mark.parametrize("price", [CostMicros(currency="USD", micros=0)], ids=["free"])
async def test_an_outage_is_not_held_against_the_work_that_met_it(site: Site) -> None:
    # Given a job whose every step meets an outage, more often than disorder is borne, and calls that cost nothing
    site.scripted.script(*[Raise(ConnectionLost())] * 6)
    person = await site.person(credits=5)
    photo = await person.upload()

    # When the database is well again
    job = await person.finished((await person.order(photo["id"]))["id"], seconds=30)

    # Then the job ends well, and was not taken for poison
    assert job["state"] == "succeeded"


async def test_connections_cut_at_random_cost_no_job_and_no_credit(site: Site, postgres: PostgresServer) -> None:
    # Given people who order, and an operator who cuts every connection again and again
    people = [await site.person(credits=20) for _ in range(3)]
    photos = [(await person.upload())["id"] for person in people]
    cutting = asyncio.create_task(cut_forever(postgres))

    # When they order with keys, and ask again whenever they are told to
    async def order(number: int) -> str:
        person, photo = people[number % 3], photos[number % 3]
        key = {"Idempotency-Key": uuid4().hex}
        for _ in range(100):
            answer = await person.try_order(photo, headers=key)
            if answer.status_code in (200, 202):
                return str(answer.json()["id"])
            assert answer.json()["retryable"], answer.text
            await asyncio.sleep(0.05)
        raise AssertionError(answer.text)

    ordered = await asyncio.gather(*(order(number) for number in range(15)))
    cutting.cancel()
    await asyncio.gather(cutting, return_exceptions=True)

    # Then each order is one job, each job has ended well, and the ledger is sound
    assert len(set(ordered)) == 15
    for number, job in enumerate(ordered):
        ended: dict[str, Any] = await people[number % 3].finished(job, seconds=30)
        assert ended["state"] == "succeeded", ended
    assert [(await person.credits())["available"] for person in people] == [15, 15, 15]
    async with site.platform.database.read() as reader:
        assert await verify(reader) == []
        assert await reader.value("SELECT COUNT(*) AS n FROM generation") == 15


async def cut_forever(postgres: PostgresServer) -> None:
    admin = await asyncpg.connect(postgres.url)
    try:
        while True:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = 'site' AND backend_type = 'client backend'"
            )
            await asyncio.sleep(0.5)
    finally:
        await admin.close()
