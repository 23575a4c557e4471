"""What every answer has in common: headers, caching, limits, cookies, CORS, documentation."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from statuette.testing.scripted_image import Hang
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
ORIGIN = "https://alpha.example"
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, module_profile: Profile) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("manners")
    async with serving(folder, module_profile) as site:
        await site.apply_brand()
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def person(site: Site) -> Visitor:
    return await site.person(credits=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def photo(person: Visitor) -> str:
    return str((await person.upload())["id"])


async def _several_answers(site: Site, person: Visitor, photo: str, **headers: str) -> list[httpx.Response]:
    """Answers of every kind: good, not modified, refused at each layer, pages, pictures."""
    upload = await person.http.get(f"/v1/uploads/{photo}", headers=headers)
    http = person.http
    return [
        upload,
        await http.get(f"/v1/uploads/{photo}", headers={**headers, "If-None-Match": upload.headers["etag"]}),
        await http.get(upload.json()["image_url"], headers=headers),
        await http.get("/healthz", headers=headers),
        await http.get("/docs/openapi.json", headers=headers),
        await http.get("/v1/nope", headers=headers),
        await http.request("PATCH", "/v1/uploads", headers=headers),
        await http.get("/v1/uploads?cursor=x", headers=headers),
        await http.post("/v1/generations", content=b"{", headers={**headers, "Content-Type": "application/json"}),
        await http.post("/v1/generations", content=bytes(300_000), headers=headers),
        await site.visitor().http.get("/v1/account", headers=headers),
        await site.visitor("nobody.example").http.get("/v1/site", headers=headers),
    ]


async def test_every_answer_has_security_headers(site: Site, person: Visitor, photo: str) -> None:
    answers = await _several_answers(site, person, photo)

    assert {answer.status_code for answer in answers} == {200, 304, 400, 401, 404, 405, 413}
    for answer in answers:
        shown = {name: answer.headers.get(name) for name in SECURITY_HEADERS}
        assert shown == SECURITY_HEADERS, (answer.request.url, answer.status_code)
        assert "content-security-policy" in answer.headers
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert "cache-control" in answer.headers or answer.request.url.path in ("/healthz", "/docs/openapi.json")


async def test_a_request_id_is_echoed_when_it_is_harmless_and_made_otherwise(
    site: Site, person: Visitor, photo: str
) -> None:
    for answer in await _several_answers(site, person, photo, **{"X-Request-Id": "client-0815.a_b"}):
        assert answer.headers["x-request-id"] == "client-0815.a_b"

    for given in ("short", "x" * 81, 'a"quote-in-it', "äöüäöüäöü"):
        answer = await person.http.get("/healthz", headers={"X-Request-Id": given.encode()})  # type: ignore[dict-item]
        assert re.fullmatch(r"req_[0-9a-z]{26}", answer.headers["x-request-id"]), given


async def test_what_has_not_changed_is_not_sent_again(person: Visitor, photo: str) -> None:
    # Given an answer with its tag
    first = await person.http.get(f"/v1/uploads/{photo}")

    # When it is asked for again by tag, before and after a change
    same = await person.http.get(f"/v1/uploads/{photo}", headers={"If-None-Match": first.headers["etag"]})
    await person.http.put(f"/v1/uploads/{photo}/saved")
    changed = await person.http.get(f"/v1/uploads/{photo}", headers={"If-None-Match": first.headers["etag"]})

    # Then only the change is sent
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_private_answers_are_for_one_reader_only(person: Visitor, photo: str) -> None:
    for path in (
        "/v1/account",
        "/v1/credits",
        "/v1/uploads",
        f"/v1/uploads/{photo}",
        "/v1/generations",
        "/v1/figurines",
    ):
        answer = await person.http.get(path)
        assert answer.headers["cache-control"].startswith("private"), path
        assert {"Authorization", "Cookie"} <= {part.strip() for part in answer.headers["vary"].split(",")}, path


async def test_only_a_brands_own_pages_may_call_it_from_a_browser(site: Site, person: Visitor) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    http = site.visitor().http

    own = await http.options("/v1/generations", headers={**preflight, "Origin": ORIGIN})
    foreign = await http.options("/v1/generations", headers={**preflight, "Origin": "https://evil.example"})
    actual = await person.http.get("/v1/account", headers={"Origin": ORIGIN})
    stranger = await person.http.get("/v1/account", headers={"Origin": "https://evil.example"})
    refused = await http.get("/v1/account", headers={"Origin": ORIGIN})

    assert own.headers["access-control-allow-origin"] == ORIGIN
    assert own.headers["access-control-allow-credentials"] == "true"
    assert "POST" in own.headers["access-control-allow-methods"]
    assert "idempotency-key" in own.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-origin" not in foreign.headers
    assert actual.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in actual.headers["vary"]
    assert "access-control-allow-origin" not in stranger.headers
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)


async def test_a_cookie_session_changes_nothing_without_its_csrf_token(site: Site) -> None:
    # Given a browser that signed in
    browser = site.visitor().http
    await browser.post("/v1/signin/codes", json={"email": "browser@example.org"})
    code = re.search(r"(?<!\d)(\d{6})(?!\d)", site.mailer.sent_to("browser@example.org")[-1].text)
    assert code is not None
    signed_in = await browser.post(
        "/v1/signin", json={"email": "browser@example.org", "code": code.group(1), "session": "cookie"}
    )
    csrf = {"X-CSRF-Token": signed_in.json()["csrf_token"]}
    change = {"json": {"granted": True}}
    path = "/v1/account/consents/generation"

    # When it reads, and changes something with and without the token
    read = await browser.get("/v1/account")
    bare = await browser.put(path, **change)  # type: ignore[arg-type]
    wrong = await browser.put(path, headers={"X-CSRF-Token": "x" * 43}, **change)  # type: ignore[arg-type]
    right = await browser.put(path, headers=csrf, **change)  # type: ignore[arg-type]
    out = await browser.delete("/v1/session", headers=csrf)

    # Then the cookie is out of scripts' reach, and only the token opens the door
    cookie = signed_in.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie
    assert signed_in.json()["token"] is None
    assert signed_in.headers["cache-control"] == "no-store"
    assert [answer.status_code for answer in (read, bare, wrong, right, out)] == [200, 403, 403, 200, 204]
    assert bare.json()["code"] == "csrf_token_missing"
    assert (await browser.get("/v1/account")).status_code == 401


async def test_health_and_readiness_are_told_without_a_brand(site: Site) -> None:
    monitor = site.visitor("10.0.0.7").http

    assert (await monitor.get("/healthz")).json() == {"status": "ok"}
    assert (await monitor.get("/readyz")).json() == {"status": "ok", "checks": {"database": "ok", "process": "ok"}}


async def test_the_openapi_document_describes_every_operation_with_examples(site: Site) -> None:
    document = (await site.visitor("nobody.example").http.get("/docs/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {"/v1/uploads", "/v1/generations", "/v1/generations/{generation_id}/events"}
    operations = [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    for path, method, operation in operations:
        assert operation.get("summary"), (method, path)
        assert operation.get("tags"), (method, path)
        assert operation["operationId"], (method, path)
        body = operation.get("requestBody", {})
        for content in body.get("content", {}).values():
            assert _has_example(content, document), (method, path)
    assert len({operation["operationId"] for _, _, operation in operations}) == len(operations)


def _has_example(content: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a body is shown by an example: its own, its schema's, or one of a property."""
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return bool(content.get("examples") or content.get("example") or "example" in json.dumps(schema))


async def test_the_interactive_page_needs_nothing_from_elsewhere(site: Site) -> None:
    http = site.visitor("nobody.example").http

    page = await http.get("/docs")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)
    assert addresses
    for address in addresses:
        assert urlsplit(address).netloc == "", address
        if address.startswith("/"):
            assert (await http.get(address)).status_code == 200, address
    outside = {urlsplit(found).netloc for found in re.findall(r"https?://[^\s\"'<>]+", page.text)}
    assert outside <= {urlsplit(site.url).netloc}
    assert "'self'" in page.headers["content-security-policy"]


async def test_waiting_answers_at_the_end_or_after_the_time_and_says_when_to_ask_again(site: Site) -> None:
    # Given a job whose call hangs
    person = await site.person(credits=5)
    upload = await person.upload()
    site.scripted.script(Hang())
    ordered = await person.try_order(upload["id"], headers={"Prefer": "respond-async, wait=1"})
    path = ordered.headers["location"]

    # When it is waited for, cancelled meanwhile, and read again
    assert (ordered.status_code, ordered.headers["preference-applied"]) == (202, "wait=1")
    assert int(ordered.headers["retry-after"]) >= 1
    waiting = asyncio.create_task(person.http.get(path, headers={"Prefer": "wait=20"}))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await person.http.post(f"{path}/cancel")
    ended = await asyncio.wait_for(waiting, 5)

    # Then the wait ends with the job, which is final
    assert ended.json()["state"] == "canceled"
    assert ended.headers["preference-applied"] == "wait=20"
    assert "retry-after" not in ended.headers


async def test_head_is_get_without_the_body(person: Visitor, photo: str) -> None:
    job = await person.finished((await person.order(photo))["id"])
    for path in (
        "/healthz",
        f"/v1/uploads/{photo}",
        job["figurines"][0]["images"]["256"],
        f"/v1/generations/{job['id']}/events",
        "/v1/nope",
    ):
        got, head = await person.http.get(path), await person.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers.get("content-type") == got.headers.get("content-type"), path
        assert head.headers.get("etag") == got.headers.get("etag"), path


async def test_pages_go_newest_first_without_gap_or_repeat(site: Site) -> None:
    # Given 25 jobs
    person = await site.person(credits=30)
    upload = await person.upload()
    jobs = [(await person.order(upload["id"]))["id"] for _ in range(25)]
    for job in jobs:
        await person.finished(job)

    # When they are listed ten at a time, and one more is ordered meanwhile
    pages: list[list[str]] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": "10", **({"cursor": cursor} if cursor else {})}
        answer = (await person.http.get("/v1/generations", params=parameters)).json()
        pages.append([item["id"] for item in answer["items"]])
        cursor = answer["next_cursor"]
        if cursor is None:
            break
        if len(pages) == 1:
            await person.finished((await person.order(upload["id"]))["id"])

    # Then the pages are the 25, newest first
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [job for page in pages for job in page] == jobs[::-1]
