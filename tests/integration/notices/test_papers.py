"""Papers are read by whoever may, in each language and form; and a browser is told that its signal is heeded."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from statuette.policy.page import STYLE_SOURCE
from tests.integration.notices.test_publishing import site  # noqa: F401 - a fixture
from tests.site import Site


async def test_what_law_wants_public_is_read_by_anybody_in_each_language_and_form(site: Site) -> None:  # noqa: F811
    anybody = site.visitor()
    schedule = "/v1/policy/papers/retention"

    german = await anybody.http.get(schedule, headers={"Accept": "text/html", "Accept-Language": "de-AT,en;q=0.5"})
    markdown = await anybody.http.get(schedule, headers={"Accept": "text/markdown"})
    told = await anybody.http.get(schedule, headers={"Accept": "application/json"})
    named = await anybody.http.get(f"{schedule}?format=md&locale=xx", headers={"Accept": "application/json"})
    again = await anybody.http.get(
        schedule, headers={"If-None-Match": markdown.headers["etag"], "Accept": "text/markdown"}
    )
    receivers = await anybody.http.get("/v1/policy/papers/processors?format=md")

    assert german.text.startswith('<!doctype html>\n<html lang="de">') and german.headers["content-language"] == "de"
    assert STYLE_SOURCE in german.headers["content-security-policy"] and "<script" not in german.text
    assert markdown.text.startswith("# ") and named.text == markdown.text
    assert (told.json()["kind"], told.json()["locale"]) == ("retention", "en")
    assert (again.status_code, again.content) == (304, b"")
    assert "Local folder" in receivers.text or "Object store" in receivers.text


@pytest.mark.parametrize("kind", ["record", "agreement"])
async def test_what_is_between_operators_and_authorities_needs_an_operators_key(site: Site, kind: str) -> None:  # noqa: F811
    anybody = site.visitor()
    operator = {"Authorization": f"Bearer {site.secret_keys['alpha']}"}

    assert (await anybody.http.get(f"/v1/policy/papers/{kind}")).status_code == 404
    assert (await anybody.http.get(f"/admin/v1/policy/papers/{kind}")).status_code == 401
    read = await anybody.http.get(f"/admin/v1/policy/papers/{kind}?format=md", headers=operator)

    assert read.status_code == 200 and "Alpha" in read.text
    assert "private" in read.headers["cache-control"]


async def test_a_browser_is_told_that_its_signal_is_heeded(site: Site) -> None:  # noqa: F811
    answer = await site.visitor().http.get("/.well-known/gpc.json")

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = msgspec.json.decode(answer.content)
    assert said["gpc"] is True and set(said) == {"gpc", "lastUpdate"}
    assert date.fromisoformat(said["lastUpdate"])
