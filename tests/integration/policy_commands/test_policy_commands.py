"""`statuette policy check`, `explain`, `diff` and `render` on a real deployment: what they say, and their exit codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis

from statuette.kernel.data_map.check import check
from statuette.kernel.data_map.gathering import subject
from tests.commands import statuette
from tests.profiles import Profile
from tests.publishing import publish_first
from tests.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        await publish_first(site)
        yield site


async def run(site: Site, *arguments: str, code: int = 0) -> str:
    """What the command printed. Asserts its exit code."""
    done = await statuette(site, "policy", *arguments, code=code)
    return done.stdout if code != 2 else done.stderr


async def test_our_own_installation_has_no_gaps(site: Site) -> None:
    person = await site.person()
    await person.finished((await person.order((await person.upload())["id"]))["id"])

    told = await run(site, "check")
    report = json.loads(await run(site, "check", "--json"))

    assert told.startswith("Looked at ") and "No gaps." in told
    assert report["problems"] == [] and report["not_looked_at"] == []
    assert min(report["looked_at"][name] for name in ("columns", "prefixes", "attributes", "categories", "rules")) > 0


async def test_what_is_in_redis_and_in_the_store_has_a_class_while_the_site_is_at_work(site: Site) -> None:
    person = await site.person()
    await person.finished((await person.order((await person.upload())["id"]))["id"])
    platform = site.platform

    looked = await subject(platform.settings, platform.plugins, platform.database, platform.datasets)
    found = check(looked)

    assert found.problems == () and looked.not_looked_at == ()
    assert len(looked.object_keys) == 4
    assert bool(looked.cache_keys) == (platform.settings.redis_url is not None)


async def test_a_key_and_an_object_of_nobodys_are_named(site: Site) -> None:
    platform = site.platform
    await platform.plugins.storage.put("uploads/alone.jpg", b"x", media_type="image/jpeg")
    if platform.settings.redis_url is not None:
        client = redis.from_url(platform.settings.redis_url)
        await client.set(f"{platform.settings.redis_namespace}:faces:ada", "x")
        await client.set(f"{platform.settings.redis_namespace}:limits:for-ever", "x")
        await client.aclose()

    found = check(await subject(platform.settings, platform.plugins, platform.database, platform.datasets))

    named = {(each.gap.value, each.subject) for each in found.problems}
    in_redis = {("cache_key_unclassified", "faces:ada"), ("cache_key_lasts", "limits:for-ever")}
    assert named == {("object_unclassified", "uploads/")} | (in_redis if platform.settings.redis_url else set())


async def test_a_table_that_nobody_describes_is_named(site: Site) -> None:
    async with site.platform.database.transaction() as tx:
        await tx.execute("CREATE TABLE diary (id TEXT PRIMARY KEY, secret_thought TEXT)")

    report = json.loads(await run(site, "check", "--json", code=1))

    assert [(each["gap"], each["subject"]) for each in report["problems"]] == [
        ("column_unclassified", "diary.id"),
        ("column_unclassified", "diary.secret_thought"),
    ]
    assert "column unclassified\n  diary.id [statuette]" in await run(site, "check", code=1)


async def test_a_record_is_explained_now_and_at_any_moment(site: Site) -> None:
    person = await site.person()
    upload = (await person.upload())["id"]

    told = await run(site, "explain", upload)
    now = json.loads(await run(site, "explain", upload, "--json"))
    then = json.loads(await run(site, "explain", upload, "--at", "2100-01-01", "--json"))

    assert f"{upload} (uploads of alpha)" in told
    assert "upload.unused: due " in told and "upload.used: not armed" in told and "waits for: used" in told
    assert "A photo nothing was made from is deleted 24 hours after" in told
    assert (now["visible"], now["ended_by"]) == (True, "upload.unused")
    assert (then["visible"], then["at"]) == (False, "2100-01-01T00:00:00Z")
    assert {each["rule"] for each in now["deadlines"]} >= {"upload.used", "upload.cap", "upload.asked"}
    assert "Nothing is known of" in await run(site, "explain", "upl_nothing", code=2)


async def test_a_rule_is_explained_with_everybody_who_has_a_say_in_it(site: Site) -> None:
    told = await run(site, "explain", "upload.used")
    plain = json.loads(await run(site, "explain", "upload.used", "--json"))

    assert "statuette_policies/baseline/retention.py:" in told
    assert "Carried out by: statuette.kernel.enforcement.enforcer:Enforcer.run" in told
    assert "Test: tests/integration/rules/test_rules.py::" in told
    assert (plain["id"], plain["in_force"]["maximum"], plain["promises"]) == ("upload.used", "PT24H", ["upload.used"])
    assert "Use the id of a record, or one of:" in await run(site, "explain", "upload.usd", code=2)


async def test_policies_are_compared_and_the_change_is_classed(site: Site, tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    text = (site.folder / "alpha.toml").read_text()
    draft.write_text(text.replace("scripted/scripted-1", "sketch/sketch-1") + '\n[policy]\n"upload.used" = "30m"\n')
    stored = tmp_path / "stored.json"
    stored.write_text(await run(site, "render", "--format", "json"))

    same = await run(site, "diff", str(stored), "in-use")
    shorter = await run(site, "diff", str(stored), str(draft), code=1)
    longer = json.loads(await run(site, "diff", str(draft), str(stored), "--json", code=1))

    assert same == "Nothing is different.\n"
    assert "notify     rules.upload.used.after\n           - PT1H\n           + PT30M" in shorter
    assert longer["change"] == "ask_again" and longer["asks"] == ["generation"]
    await run(site, "diff", str(stored), str(draft), "--fail-on", "ask_again")
    await run(site, "diff", str(draft), str(stored), "--fail-on", "ask_again", code=1)
    assert "no policy to compare" in await run(site, "diff", "nowhere.json", "in-use", code=2)


async def test_what_is_published_is_compared_with_what_is_in_use(site: Site) -> None:
    found = json.loads(await run(site, "diff", "1", "published", "--json"))

    assert found == {"change": "editorial", "differences": [], "asks": []}


@pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("paper", ["notice", "record", "agreement", "processors", "retention"])
async def test_every_paper_is_rendered_in_each_form_and_language(site: Site, paper: str, locale: str) -> None:
    shown = await asyncio.gather(
        *(
            run(site, "render", "--paper", paper, "--locale", locale, "--format", form)
            for form in ("md", "html", "json")
        )
    )
    markdown, page, plain = shown[0], shown[1], json.loads(shown[2])

    digest = _digest(plain)
    assert digest in markdown and digest in page
    assert markdown.startswith("# ") and "Alpha" in markdown.splitlines()[0]
    assert page.startswith(f'<!doctype html>\n<html lang="{locale}">') and "<script" not in page
    assert "Alpha Ltd" in markdown and "privacy@alpha.example" in markdown
    assert "{" not in markdown and "None" not in markdown.replace("\nNone.\n", "")


async def test_a_language_without_words_is_an_error_that_names_those_there_are(site: Site) -> None:
    assert "Use one of: de, en" in await run(site, "render", "--locale", "fr", code=2)


def _digest(plain: dict[str, Any]) -> str:
    return str(plain["notice"]["digest"] if "notice" in plain else plain["digest"])
