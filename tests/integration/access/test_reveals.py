"""What operators see of people is covered; who uncovers it has the right to, says why, and is on record before."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from statuette.kernel.access.probe import AccessProbe, OperatorRoute
from statuette.kernel.access.roles import ROLES, SCOPES, Role, granted
from statuette.kernel.domain.brands import service as brands
from statuette.kernel.domain.brands.service import UnknownRole
from statuette.kernel.http.operators import operator_routes
from statuette.ports.keys import KeyStoreUnavailable
from tests.commands import statuette
from tests.integration.rights.people import ask
from tests.integration.road.faults import count
from tests.integration.takedowns.test_takedowns import asked, figurine_of
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

LOOKS = "SELECT COUNT(*) AS n FROM reveal"


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        yield site


async def key(site: Site, *scopes: str, role: str | None = None) -> tuple[str, dict[str, str]]:
    """A new key's id, and what to send."""
    async with site.platform.database.transaction() as tx:
        brand_id = await brands.brand_id_of(tx, "alpha")
        view, text = await brands.create_key(tx, brand_id, "secret", "tests", scopes, role)
    return view.id, {"Authorization": f"Bearer {text}"}


async def reveal(site: Site, path: str, headers: dict[str, str], **body: Any) -> httpx.Response:
    return await site.visitor().http.post(f"/admin/v1/{path}/reveal", json=body, headers=headers)


async def looks(site: Site, headers: dict[str, str], query: str = "") -> dict[str, Any]:
    answer = await site.visitor().http.get(f"/admin/v1/reveals{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.rule("safeguard.access")
async def test_who_uncovers_an_account_has_the_right_to_says_why_and_is_listed(site: Site) -> None:
    ada, ben = await site.person(), await site.person()
    await ada.http.patch("/v1/account", json={"name": "Ada of the test"})
    _, reader = await key(site, "accounts:read")
    support_id, support = await key(site, role="support")
    _, supervisor = await key(site, "reveals:read")

    # Covered without the right to more
    masked = await site.visitor().http.get(f"/admin/v1/accounts/{ada.account_id}", headers=reader)
    assert masked.json()["email"] == "p***@e***.org" and "name" not in masked.json()
    refused = await reveal(site, f"accounts/{ada.account_id}", reader, reason="curious")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    for body in ({}, {"reason": "Because I want to."}):
        assert (await reveal(site, f"accounts/{ada.account_id}", support, **body)).status_code == 400
    assert await count(site, LOOKS) == 0

    # Uncovered with it, and a reason
    shown = await reveal(site, f"accounts/{ada.account_id}", support, reason="asked_by_phone")
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert shown.json() == {"id": ada.account_id, "email": ada.email, "name": "Ada of the test"}
    await reveal(site, f"accounts/{ben.account_id}", support, reason="letter_came_back")

    # And listed: all, by account, by key, in pages, without what was seen
    listed = await looks(site, supervisor)
    assert [(each["account_id"], each["reason"], each["key_id"], each["subject"]) for each in listed["items"]] == [
        (ben.account_id, "letter_came_back", support_id, "account"),
        (ada.account_id, "asked_by_phone", support_id, "account"),
    ]
    assert ada.email not in json.dumps(listed) and "Ada of" not in json.dumps(listed)
    (of_ada,) = (await looks(site, supervisor, f"?account={ada.account_id}"))["items"]
    assert of_ada["reason"] == "asked_by_phone"
    assert len((await looks(site, supervisor, f"?key={support_id}"))["items"]) == 2
    assert (await looks(site, supervisor, "?key=key_of_nobody"))["items"] == []
    first = await looks(site, supervisor, "?limit=1")
    second = await looks(site, supervisor, f"?limit=1&cursor={first['next_cursor']}")
    assert [each["items"][0]["reason"] for each in (first, second)] == ["letter_came_back", "asked_by_phone"]
    assert second["next_cursor"] is None


async def test_a_look_that_fails_was_on_record_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await site.person()
    _, support = await key(site, role="support")

    async def away(*_: Any) -> str:
        raise KeyStoreUnavailable()

    monkeypatch.setattr(site.platform.cipher, "open", away)
    failed = await reveal(site, f"accounts/{person.account_id}", support, reason="asked_by_phone")

    assert failed.status_code == 503
    assert await count(site, LOOKS) == 1


async def test_who_does_not_exist_is_not_looked_at(site: Site) -> None:
    _, owner = await key(site, role="owner")

    for path in ("accounts/acc_nobody", "takedowns/tkd_nothing", "privacy-requests/prq_nothing"):
        assert (await reveal(site, path, owner, reason="to_answer")).status_code == 404
    assert await count(site, LOOKS) == 0


@pytest.mark.rule("safeguard.access")
async def test_what_was_written_about_a_picture_is_read_with_a_reason_once_for_each_who_wrote(site: Site) -> None:
    ada, ben = await site.person(), await site.person()
    mine = await figurine_of(ada)
    case = await asked(site, picture=mine["id"], message="That is me.")
    appeal = {"message": "No, it is me."}
    assert (await ada.http.post(f"/v1/account/takedowns/{case['id']}/appeal", json=appeal)).status_code == 204
    moderator_id, moderator = await key(site, role="moderator")
    _, reader = await key(site, "takedowns:read", "takedowns:decide")

    assert (await reveal(site, f"takedowns/{case['id']}", reader, reason="to_decide")).status_code == 403
    shown = (await reveal(site, f"takedowns/{case['id']}", moderator, reason="to_decide")).json()

    assert (shown["contact"], shown["message"]) == ("eve@example.org", "That is me.")
    assert shown["appeals"] == [{"record_id": mine["id"], "appeal": "No, it is me."}]
    _, supervisor = await key(site, "reveals:read")
    listed = (await looks(site, supervisor))["items"]
    assert {(each["account_id"], each["subject"], each["key_id"]) for each in listed} == {
        (None, "takedown", moderator_id),
        (ada.account_id, "takedown", moderator_id),
    }
    # To see the picture is a look, too
    picture = f"/admin/v1/takedowns/{case['id']}/pictures/{mine['id']}"
    assert (await site.visitor().http.get(picture, headers=moderator)).status_code == 200
    newest = (await looks(site, supervisor, f"?account={ada.account_id}"))["items"][0]
    assert (newest["subject"], newest["record_id"], newest["reason"]) == ("takedown_picture", case["id"], "to_decide")
    assert (await looks(site, supervisor, f"?account={ben.account_id}"))["items"] == []


async def test_a_role_may_what_the_table_says_and_a_key_without_one_what_it_was_given(site: Site) -> None:
    request = (await ask(await site.person(), "correction", statement="in my words"))["id"]
    for role in Role:
        _, headers = await key(site, role=role)
        answer = await reveal(site, f"privacy-requests/{request}", headers, reason="to_answer")
        assert (answer.status_code == 200) is ("requests:reveal" in ROLES[role]), role
    _, writer = await key(site, "requests:write")
    assert (await reveal(site, f"privacy-requests/{request}", writer, reason="to_answer")).status_code == 403
    assert set(granted("finance", ("usage:read", "news:write"))) == ROLES[Role.finance] | {"news:write"}
    assert granted("of another version", ("news:write",)) == ("news:write",) and granted(None, ()) == ()
    assert all(scopes <= SCOPES.keys() for scopes in ROLES.values()) and set(ROLES) == set(Role)
    with pytest.raises(UnknownRole, match="offficer"):
        await key(site, role="privacy_offficer")


@pytest.mark.rule("safeguard.access")
async def test_a_route_without_a_scope_and_a_key_with_a_strange_one_are_found(site: Site) -> None:
    assert (await site.platform.probes.one("operators_access")).ok
    routes = list(operator_routes())
    assert len(routes) > 25
    for opt in ({}, {"scope": "everything:read"}, {"scope": "accounts:read", "reveals": True}):
        probe = AccessProbe(site.platform.database, [*routes, OperatorRoute("Guest.route", opt)])
        found = await probe.look()
        assert not found.ok and "Guest.route" in found.detail and found.cure

    key_id, _ = await key(site, role="support")
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE api_key SET role = 'emperor' WHERE id = :id", id=key_id)
    found = await site.platform.probes.one("operators_access")
    assert not found.ok and key_id in found.detail


async def test_the_commands_make_a_key_with_a_role_and_list_looks(site: Site) -> None:
    ada: Visitor = await site.person()
    made = json.loads(
        (
            await statuette(
                site,
                "brand",
                "keys",
                "create",
                "alpha",
                "--kind",
                "secret",
                "--role",
                "support",
                "--scope",
                "usage:read",
                "--json",
            )
        ).stdout
    )
    assert made["role"] == "support" and set(made["scopes"]) == ROLES[Role.support] | {"usage:read"}
    listed = (await statuette(site, "brand", "keys", "list", "alpha")).stdout
    assert "role:support usage:read" in listed
    assert "Nobody has uncovered anything." in (await statuette(site, "access", "reveals", "alpha")).stdout
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert (await reveal(site, f"accounts/{ada.account_id}", headers, reason="asked_by_phone")).status_code == 200

    told = (await statuette(site, "access", "reveals", "alpha", "--key", made["id"])).stdout
    (as_json,) = json.loads(
        (await statuette(site, "access", "reveals", "alpha", "--account", ada.account_id, "--json")).stdout
    )

    assert ada.account_id in told and "asked_by_phone" in told and ada.email not in told
    assert (as_json["key_id"], as_json["subject"]) == (made["id"], "account")
    older = json.loads(
        (await statuette(site, "access", "reveals", "alpha", "--before", as_json["id"], "--json")).stdout
    )
    assert older == []
    assert "accounts:reveal" in (await statuette(site, "access", "roles")).stdout
    wrong = await statuette(site, "brand", "keys", "create", "alpha", "--kind", "secret", "--role", "suport", code=2)
    assert "support" in wrong.stderr
