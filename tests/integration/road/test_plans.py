"""A policy that shortens the life of what exists does so only by a plan that somebody approved."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from statuette.kernel.enforcement import plans
from statuette.kernel.enforcement.deadlines import dooms
from statuette.testing import FrozenClock
from tests.commands import statuette
from tests.integration.rights.people import ask, confirm
from tests.integration.road.faults import count, until, uploads_in
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

HOUR = timedelta(hours=1)
SHORTER = 'policy = { "upload.unused" = "2h" }'


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        yield site


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(site, site.secret_keys["alpha"]) as client:
        yield client


async def test_a_shorter_time_moves_what_exists_only_when_its_plan_is_approved(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    # Given photos of an hour ago, and others from after the policy got shorter
    person = await site.person()
    old = [await person.upload() for _ in range(3)]
    clock.advance(HOUR)
    await site.apply_brand(more=SHORTER)
    new = await person.upload()
    assert await _due(site, new["id"]) == clock.now() + 2 * HOUR

    # When a plan is drafted, and the scheduler has gone on
    drafted = await _draft(operator)
    await _ticks(site)

    # Then it says what would happen, and nothing has
    (rule,) = drafted["plan"]["rules"]
    assert (rule["rule"], rule["deadlines"], rule["due_at_once"]) == ("upload.unused", 3, 0)
    assert _moment(rule["earliest"]) == clock.now() + HOUR
    assert [await _due(site, upload["id"]) for upload in old] == [clock.now() + 23 * HOUR] * 3

    # When it is approved, then they come earlier, and are deleted then
    approved = await operator.post(f"/admin/v1/plans/{drafted['plan']['id']}/approve")
    assert (approved.json()["state"], approved.json()["approved_by"][:4]) == ("approved", "key_")
    await until(lambda: _in_state(operator, "applied"), clock)
    clock.advance(HOUR)
    await until(lambda: _left(site, 1), clock)
    await until(lambda: _has_receipts(person, {upload["id"] for upload in old}), clock)


async def test_a_longer_time_never_moves_what_exists(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    await site.apply_brand(more=SHORTER)
    upload = await (await site.person()).upload()
    await site.apply_brand()

    assert (await _draft(operator))["plan"] is None
    assert await _due(site, upload["id"]) == clock.now() + 2 * HOUR


async def test_a_plan_takes_nobodys_days_to_think_again_about_erasing_their_account(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    # Given an account that goes in a week, with a photo and a question that go with it
    person = await site.person()
    saved = await person.upload()
    assert (await person.http.put(f"/v1/uploads/{saved['id']}/saved")).status_code == 200
    asked = await person.http.post("/v1/support", json={"subject": "Arms", "message": "Three?"})
    await confirm(person)
    await ask(person, "erasure")

    # When a plan is drafted for a shorter policy, which moves something else
    await (await site.person()).upload()
    await site.apply_brand(more=SHORTER)
    drafted = await _draft(operator)

    # Then it names nothing of theirs, although their rules say "at once"
    assert [each["rule"] for each in drafted["plan"]["rules"]] == ["upload.unused"]
    async with site.platform.database.read() as reader:
        doomed = await dooms(reader, [saved["id"], asked.json()["id"]])
    assert [each.due_at - clock.now() for each in doomed.values()] == [timedelta(days=7)] * 2


async def test_a_plan_whose_rule_changed_meanwhile_moves_nothing_more(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    # Given a plan that was approved, and is not carried out yet
    upload = await (await site.person()).upload()
    await site.apply_brand(more=SHORTER)
    drafted, late = await _draft(operator), await _draft(operator)
    await site.platform.scheduler.stop()
    assert (await operator.post(f"/admin/v1/plans/{drafted['plan']['id']}/approve")).status_code == 200

    # When the policy changes, and the scheduler comes to it
    await site.apply_brand(more='policy = { "upload.unused" = "3h" }')
    await site.platform.scheduler.start()
    await until(lambda: _in_state(operator, "superseded"), clock)

    # Then nothing was moved, and a plan that was not approved in time cannot be any more
    assert await _due(site, upload["id"]) > clock.now() + 20 * HOUR
    refused = await operator.post(f"/admin/v1/plans/{late['plan']['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "plan_superseded")
    again = await operator.post(f"/admin/v1/plans/{drafted['plan']['id']}/approve")
    assert (again.status_code, again.json()["code"]) == (409, "plan_not_waiting")


async def test_a_plan_that_is_cut_off_goes_on_where_it_was(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a plan over several pages, whose second page fails at first
    monkeypatch.setattr(plans, "MOVED_AT_ONCE", 7)
    person = await site.person()
    uploads = [await person.upload() for _ in range(6)]
    await site.apply_brand(more=SHORTER)
    drafted = await _draft(operator)
    moved, move = [], plans._move

    async def failing(*args: Any) -> bool:
        moved.append(args[1].id)
        if len(moved) == 4:
            raise RuntimeError("cut off")
        return await move(*args)

    monkeypatch.setattr(plans, "_move", failing)
    await operator.post(f"/admin/v1/plans/{drafted['plan']['id']}/approve")
    await until(lambda: _in_state(operator, "applied"), clock)

    # Then each is moved once, in what is committed
    (plan,) = (await operator.get("/admin/v1/plans")).json()["items"]
    assert plan["moved"] == 6
    assert {await _due(site, upload["id"]) for upload in uploads} == {_moment(drafted["plan"]["rules"][0]["latest"])}


async def test_a_plan_moves_no_more_than_it_forecast_and_no_rule_that_it_does_not_name(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    # Given plans that somebody tampered with: one names no rule, one forecast a single deadline
    person = await site.person()
    uploads = [await person.upload() for _ in range(2)]
    promised = {await _due(site, upload["id"]) for upload in uploads}
    await site.apply_brand(more=SHORTER)
    for tampered, stopped in ((lambda rules: [], 1), (lambda rules: [rules[0] | {"deadlines": 1}], 2)):
        drafted = await _draft(operator)
        async with site.platform.database.transaction() as tx:
            await tx.execute(
                "UPDATE enforcement_plan SET forecast = :forecast WHERE id = :id",
                forecast=json.dumps(tampered(drafted["plan"]["rules"])),
                id=drafted["plan"]["id"],
            )
        assert (await operator.post(f"/admin/v1/plans/{drafted['plan']['id']}/approve")).status_code == 200
        sql = f"SELECT COUNT(*) / {stopped} AS n FROM enforcement_plan WHERE state = 'stopped'"
        await until(lambda sql=sql: _one(site, sql), clock)

    # Then neither moved anything, and findings say why
    assert {await _due(site, upload["id"]) for upload in uploads} == promised
    async with site.platform.database.read() as reader:
        rows = await reader.rows("SELECT detail FROM finding WHERE code = 'enforcement_stopped'")
    assert {row["detail"] for row in rows} == {"plan_without_filter", "more_than_forecast"}


async def test_what_a_guard_stopped_is_put_right_by_a_plan(
    site: Site, clock: FrozenClock, operator: httpx.AsyncClient
) -> None:
    # Given a deadline that a stray statement made due, so that a guard stopped it
    upload = await (await site.person()).upload()
    async with site.platform.database.transaction() as tx:
        await tx.execute(
            "UPDATE deadline SET due_at = :now WHERE record_id = :id AND rule = 'upload.unused'",
            id=upload["id"],
            now=clock.now(),
        )
    began = clock.now()
    stopped = "SELECT COUNT(*) AS n FROM deadline WHERE state = 'stopped'"
    await until(lambda: _one(site, stopped), clock)

    # When a plan for it is approved
    drafted = await _draft(operator, rules=["upload.unused"])
    await operator.post(f"/admin/v1/plans/{drafted['plan']['id']}/approve")
    await until(lambda: _in_state(operator, "applied"), clock)

    # Then it is due when its rule says
    assert await uploads_in(site) == 1
    assert await _due(site, upload["id"]) == began + 24 * HOUR


async def test_who_may_plan_may_not_approve(site: Site, operator: httpx.AsyncClient) -> None:
    from statuette.kernel.domain.brands import service

    await (await site.person()).upload()
    await site.apply_brand(more=SHORTER)
    async with site.platform.database.transaction() as tx:
        brand_id = await service.brand_id_of(tx, "alpha")
        _, planner = await service.create_key(tx, brand_id, "secret", "planner", ("policy:plan",))
    async with _client(site, planner) as client:
        drafted = await _draft(client)
        refused = await client.post(f"/admin/v1/plans/{drafted['plan']['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert (await operator.get("/admin/v1/plans")).json()["items"][0]["state"] == "draft"


async def test_the_commands_plan_simulate_and_apply(site: Site, tmp_path: Path) -> None:
    # Given a photo, and a draft of a shorter policy
    await (await site.person()).upload()
    draft = tmp_path / "draft.toml"
    draft.write_text(SHORTER + "\n" + (site.folder / "alpha.toml").read_text())

    # Then it can be tried without anything being written
    simulated = await statuette(site, "policy", "simulate", str(draft), code=1)
    assert "upload.unused: 1 deadline comes earlier" in simulated.stdout
    unchanged = await statuette(site, "policy", "plan", "alpha")
    assert "The policy in force brings no deadline forward." in unchanged.stdout

    # And planned and applied once it is in force
    await site.apply_brand(more=SHORTER)
    planned = await statuette(site, "policy", "plan", "alpha", "--json", code=1)
    plan_id = json.loads(planned.stdout)["plan"]["id"]
    await statuette(site, "policy", "apply", plan_id, "--by", "officer")
    listed = await statuette(site, "policy", "plans", "alpha")
    assert "by officer" in listed.stdout


def _client(site: Site, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=site.url, headers={"Authorization": f"Bearer {key}"})


async def _draft(client: httpx.AsyncClient, rules: list[str] | None = None) -> Any:
    answer = await client.post("/admin/v1/plans", json={"rules": rules or []})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _in_state(client: httpx.AsyncClient, state: str) -> bool:
    """Whether a plan has come to this."""
    return state in {plan["state"] for plan in (await client.get("/admin/v1/plans")).json()["items"]}


async def _due(site: Site, record_id: str) -> datetime:
    async with site.platform.database.read() as reader:
        (row,) = await reader.rows(
            "SELECT due_at FROM deadline WHERE record_id = :id AND rule = 'upload.unused'", id=record_id
        )
    return row["due_at"]


async def _ticks(site: Site) -> None:
    for _ in range(5):
        await site.platform.scheduler.tick()


async def _left(site: Site, photos: int) -> bool:
    return await uploads_in(site) == photos


async def _one(site: Site, sql: str) -> bool:
    return await count(site, sql) == 1


async def _has_receipts(person: Visitor, records: set[str]) -> bool:
    receipts = (await person.http.get("/v1/account/receipts")).json()["items"]
    return {receipt["record_id"] for receipt in receipts} == records


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
