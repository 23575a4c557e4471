"""Whatever people write or are called, no route of operators shows it, but those that uncover it and put that on record.

Words are planted in every column that holds a person's; then every registered route is called with every id there is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from piccolo.columns import Bytea, Text, Varchar

from statuette.kernel.db.schema import tables
from tests.commands import environment, run
from tests.integration.rights.people import ask, confirm
from tests.integration.road.faults import count
from tests.integration.road.test_isolation import BODIES, operations
from tests.profiles import Profile
from tests.site import Site, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

# A word for each column that holds what somebody wrote, or who they are.
PLANTED = {
    "account.email": "ada.marker@planted-domain.org",
    "account.name": "Ada Markername",
    "privacy_request.statement": "marker of a statement",
    "privacy_request.contact": "ben.marker@planted-other.org",
    "takedown_case.contact": "eve.marker@planted-eve.org",
    "takedown_case.message": "marker of a message",
    "takedown_picture.appeal": "marker of an appeal",
    "support_question.contact": "joe.marker@planted-joe.org",
    "support_question.subject": "marker of a subject",
    "support_entry.text": "marker of a question",
    "generation.variables": "MARKERWORD",
}
# Columns of these categories that hold something else, and what.
CODES = {
    "account.id": "an id",
    "account.email_index": "a keyed hash",
    "account.locale": "a language",
    "session.account_id": "an id",
    "signin_code.email_index": "a keyed hash",
    "tombstone.id": "a keyed hash",
    **dict.fromkeys(("support_question.id", "support_question.account_id"), "an id"),
    **dict.fromkeys(("support_entry.id", "support_entry.question_id"), "an id"),
    **dict.fromkeys(("support_attachment.id", "support_attachment.question_id"), "an id"),
    **dict.fromkeys(("support_question.state", "support_question.category"), "a word of a closed list"),
    **dict.fromkeys(("support_entry.action", "support_attachment.media_type"), "a word of a closed list"),
    "support_question.locale": "a language",
    "support_attachment.sha256": "a hash",
    "usage_event.browser": "a word of a closed list",
    "usage_event.system": "a word of a closed list",
    "usage_event.network": "a cut address: never written here, since the test comes from this machine",
}
PERSONAL = {"email", "account_profile", "correspondence", "prompt_variables", "device"}
_PLACE = re.compile(r"\{[^}]+\}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, module_profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path_factory.mktemp("masking"), module_profile) as site:
        await site.apply_brand(more='purposes = ["improvement", "marketing"]')
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ids(site: Site) -> list[str]:
    """Plants a word in every place, and gives the id of everything that was made on the way."""
    ada, ben = site.visitor(), site.visitor()
    await ada.sign_in(PLANTED["account.email"])
    await ada.agree()
    await site.grant(ada, 20)
    await ada.http.patch("/v1/account", json={"name": PLANTED["account.name"]})
    photo = await ada.upload()
    worded = {"inputs": [{"upload_id": photo["id"]}], "style": "chibi"}
    ordered = await ada.order(**worded, variables={"name_text": PLANTED["generation.variables"]})
    job = await ada.finished(ordered["id"])
    request = await ask(ada, "correction", statement=PLANTED["privacy_request.statement"])
    figurine = job["figurines"][0]["id"]
    case = await site.visitor().http.post(
        "/v1/takedowns",
        json={
            "email": PLANTED["takedown_case.contact"],
            "picture": figurine,
            "message": PLANTED["takedown_case.message"],
        },
    )
    appeal = {"message": PLANTED["takedown_picture.appeal"]}
    said = await ada.http.post(f"/v1/account/takedowns/{case.json()['id']}/appeal", json=appeal)
    assert (case.status_code, said.status_code) == (202, 204), said.text
    asked = await site.visitor().http.post(
        "/v1/support",
        data={
            "subject": PLANTED["support_question.subject"],
            "message": PLANTED["support_entry.text"],
            "email": PLANTED["support_question.contact"],
        },
        files={"attachment": ("marker.txt", PLANTED["support_entry.text"].encode(), "text/plain")},
    )
    assert asked.status_code == 201, asked.text
    await ben.sign_in(PLANTED["privacy_request.contact"])
    await confirm(ben)
    leaving = await ask(ben, "erasure")
    made = [ada.account_id, ben.account_id, photo["id"], job["id"], request["id"], leaving["id"], case.json()["id"]]
    question = asked.json()["id"]
    async with site.platform.database.read() as reader:
        attached = await reader.value("SELECT id FROM support_attachment WHERE question_id = :id", id=question)
    return [*made, figurine, question, attached]


def personal_columns(site: Site) -> set[str]:
    """Columns that may hold words of people, as the datasets class them."""
    classed = {
        (table.table, column): category
        for dataset in site.platform.datasets.values()
        for table in dataset.tables
        for column, category in table.columns.items()
    }
    return {
        f"{table._meta.tablename}.{column._meta.name}"
        for table in tables()
        for column in table._meta.columns
        if isinstance(column, Bytea | Text | Varchar)
        and classed[(table._meta.tablename, column._meta.name)] in PERSONAL
    }


async def test_a_word_is_planted_in_every_personal_column(site: Site, ids: list[str]) -> None:
    assert personal_columns(site) == PLANTED.keys() | CODES.keys()
    for place in PLANTED:
        table, column = place.split(".")
        assert await count(site, f"SELECT COUNT(*) AS n FROM {table} WHERE {column} IS NOT NULL") > 0, place


async def answers(site: Site, ids: list[str]) -> AsyncIterator[tuple[str, httpx.Response, dict[str, Any], int]]:
    """Every route of operators with every id in each of its places, and how many looks that put on record."""
    key = {"Authorization": f"Bearer {site.secret_keys['alpha']}"}
    looks = "SELECT COUNT(*) AS n FROM reveal"
    async with httpx.AsyncClient(base_url=site.url, headers=key, timeout=30) as http:
        for method, template, opt in operations(site.platform):
            if not template.startswith("/admin/"):
                continue
            first = ids if "{" in template else [""]
            for one in first:
                for other in ids if template.count("{") > 1 else [""]:
                    path = _PLACE.sub(one, template, count=1)
                    path = _PLACE.sub(other, path)
                    before = await count(site, looks)
                    call = {"json": BODIES.get((method, template), {})} if method != "GET" else {}
                    answer = await http.request(method, path, **call)
                    yield f"{method} {path}", answer, opt, await count(site, looks) - before


async def test_no_route_of_operators_shows_a_word_but_those_that_put_it_on_record(site: Site, ids: list[str]) -> None:
    shown: set[str] = set()
    answered = 0
    async for call, answer, opt, looked in answers(site, ids):
        assert answer.status_code < 500, (call, answer.text)
        words = {place for place, word in PLANTED.items() if word.encode() in answer.content}
        succeeded = answer.status_code < 300
        if opt.get("reveals"):
            assert (looked > 0) is succeeded, call
            shown |= words
        else:
            assert (words, looked) == (set(), 0), call
            answered += succeeded
    assert answered > 15
    # And what can be uncovered is what operators may have to see, not the words on a figurine
    never = {"generation.variables", "support_question.contact"}
    too = {"privacy_request.contact"}  # an account's address, too
    assert PLANTED.keys() - never - too <= shown and never & shown == set()


async def test_no_command_that_reads_shows_a_word(site: Site, ids: list[str]) -> None:
    request = next(each for each in ids if each.startswith("prq_"))
    commands = [
        ("privacy", "requests", "list", "alpha", "--all"),
        ("privacy", "requests", "show", "alpha", request),
        ("privacy", "requests", "show", "alpha", request, "--json"),
        ("access", "reveals", "alpha", "--json"),
        ("brand", "keys", "list", "alpha", "--json"),
        ("hold", "list", "alpha", "--all"),
        ("usage", "report", "alpha"),
        *(("policy", "explain", each) for each in ids if each[:4] in ("acc_", "upl_", "fig_")),
    ]
    for command in commands:
        done = await asyncio.to_thread(run, command, site.folder, environment(site))
        assert done.stdout and done.code in (0, 1), (command, done)
        told = done.stdout + done.stderr
        assert [place for place, word in PLANTED.items() if word in told] == [], command
