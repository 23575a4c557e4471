"""Manners that need a clock one can move, tight limits, or a broken database: each on a site of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from statuette.kernel.db.history import CONTRACTS
from statuette.testing import FrozenClock
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.site import Visitor, serving

ORIGIN = "https://alpha.example"


async def test_no_answer_is_cached_past_the_deadline_of_what_it_shows(tmp_path: Path, profile: Profile) -> None:
    # Given a photo, and a clock that stands four seconds before its deadline
    clock = FrozenClock()
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        person = await site.person()
        upload = await person.upload()
        clock.advance(datetime.fromisoformat(upload["expires_at"]) - clock.now() - timedelta(seconds=4))

        # When it is looked at
        seen = await person.http.get(f"/v1/uploads/{upload['id']}")
        picture = await site.visitor().http.get(seen.json()["image_url"])

        # Then nobody may keep it longer than those four seconds, and then it is gone for everybody
        assert seen.headers["cache-control"] == "private, max-age=4"
        assert picture.headers["cache-control"] == "private, max-age=4"
        assert datetime.fromisoformat(seen.json()["image_expires_at"]) <= clock.now() + timedelta(seconds=4)
        clock.advance(timedelta(seconds=4))
        assert (await person.http.get(f"/v1/uploads/{upload['id']}")).status_code == 404
        assert (await site.visitor().http.get(seen.json()["image_url"])).status_code == 404


async def test_callers_are_told_their_limits_and_then_to_wait(tmp_path: Path, profile: Profile) -> None:
    # Given a site that lets an account ask five times a minute, and nobody known three times
    clock = FrozenClock()
    limits = {"requests_per_minute_per_principal": 5, "requests_per_minute_per_address": 3}
    async with serving(tmp_path, profile, clock=clock, **limits) as site:
        await site.apply_brand()
        person = site.visitor()
        await person.sign_in("limited@example.org")

        # When it asks six times
        answers = [await person.http.get("/v1/account", headers={"Origin": ORIGIN}) for _ in range(6)]

        # Then it is told where it stands, and the sixth is told when to come back, so that a front end can read it
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[0].headers["ratelimit-policy"] == '"requests";q=5;w=60'
        assert answers[0].headers["ratelimit"].startswith('"requests";r=4;')
        refused = answers[5]
        assert (refused.json()["code"], refused.json()["retryable"]) == ("too_many_requests", True)
        assert refused.headers["retry-after"] == "12"
        assert refused.headers["ratelimit"] == '"requests";r=0;t=12'
        assert refused.headers["access-control-allow-origin"] == ORIGIN

        # And guessing at tokens is bounded by the address, whatever is guessed
        guesses = [
            (await site.visitor().http.get("/v1/account", headers={"Authorization": f"Bearer st_{n}"})).status_code
            for n in range(4)
        ]
        assert guesses[-1] == 429

        # And after the wait it goes on; a moment later where processes agree on limits, by the clock of Redis
        clock.advance(timedelta(seconds=int(refused.headers["retry-after"])))
        await until(lambda: _welcome(person), clock)


async def test_a_database_of_a_newer_version_makes_it_unready_and_not_dead(tmp_path: Path, profile: Profile) -> None:
    # Given a site whose database is brought to a schema that newer code alone works on
    async with serving(tmp_path, profile) as site:
        async with site.platform.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO migration (name, app_name, ran_on) VALUES ('9999_future', 'statuette', CURRENT_TIMESTAMP)"
            )
            await tx.execute(CONTRACTS)
            await tx.execute(
                "INSERT INTO schema_contract (migration, needs_code) VALUES ('9999_future', '9999_future')"
            )
        http = site.visitor().http

        # When it is asked whether it may get traffic
        ready = await http.get("/readyz")

        # Then it says no, and that it lives
        assert (ready.status_code, ready.json()["checks"]) == (503, {"database": "unknown_schema", "process": "ok"})
        assert (await http.get("/healthz")).status_code == 200


async def _welcome(person: Visitor) -> bool:
    return (await person.http.get("/v1/account")).status_code == 200
