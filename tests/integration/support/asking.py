"""What people and operators do with questions, for the tests of them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.site import Site, Visitor

EVE = "eve@example.org"
QUESTION = {"subject": "Three arms", "message": "My figurine has three arms.\nWhat now?", "category": "pictures"}


def operator(site: Site, brand: str = "alpha") -> dict[str, str]:
    return {"Authorization": f"Bearer {site.secret_keys[brand]}"}


async def try_ask(person: Visitor, *, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return await person.http.post("/v1/support", json={**QUESTION, **body}, headers=headers or {})


async def ask(person: Visitor, **body: Any) -> dict[str, Any]:
    answer = await try_ask(person, **body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def try_attach(
    person: Visitor, *files: tuple[bytes, str], headers: dict[str, str] | None = None, **fields: str
) -> httpx.Response:
    """Ask with files, each with its media type."""
    named = [("attachment", (f"Ada's file {number}", data, kind)) for number, (data, kind) in enumerate(files)]
    return await person.http.post("/v1/support", data={**QUESTION, **fields}, files=named, headers=headers or {})


async def attach(person: Visitor, *files: tuple[bytes, str], **fields: str) -> dict[str, Any]:
    answer = await try_attach(person, *files, **fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def own(person: Visitor, question: str) -> dict[str, Any]:
    """A question as its owner sees it, signed in."""
    answer = await person.http.get(f"/v1/account/support/{question}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def at_the_desk(site: Site, question: str) -> dict[str, Any]:
    """A question as operators see it."""
    answer = await site.visitor().http.get(f"/admin/v1/support/{question}", headers=operator(site))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def revealed(site: Site, question: str, reason: str = "to_answer") -> dict[str, Any]:
    """What was said in a question, as operators read it."""
    answer = await site.visitor().http.post(
        f"/admin/v1/support/{question}/reveal", json={"reason": reason}, headers=operator(site)
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def reply(site: Site, question: str, message: str = "Two of them are wings.") -> httpx.Response:
    return await site.visitor().http.post(
        f"/admin/v1/support/{question}/answers", json={"message": message}, headers=operator(site)
    )


async def decide(site: Site, question: str, what: str) -> httpx.Response:
    """`close` or `reopen`."""
    return await site.visitor().http.post(f"/admin/v1/support/{question}/{what}", headers=operator(site))
