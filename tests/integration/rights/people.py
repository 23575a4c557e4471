"""People who have something of everything, and what they do with their rights."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from statuette.kernel.domain.credits import service as credits
from tests.site import Site, Visitor


@dataclass
class Belongings:
    """What somebody has: ids, and words that only they have."""

    person: Visitor
    ids: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def markers(self) -> list[str]:
        return [self.person.account_id, self.person.email, *self.ids, *self.words]


async def settled_person(site: Site, name: str, *, paid: bool = False) -> Belongings:
    """Somebody with a saved photo, figurines, jobs, credits, consents, a name, and a deleted photo whose receipt they hold."""
    person = site.visitor()
    await person.sign_in(f"{name.lower()}@example.org")
    await person.agree()
    if paid:
        await buy(site, person, 7)
    await person.http.patch("/v1/account", json={"name": f"{name} of the test"})
    kept, gone = await person.upload(), await person.upload()
    assert (await person.http.put(f"/v1/uploads/{kept['id']}/saved")).status_code == 200
    job = await person.finished((await person.order(kept["id"], headers={"Idempotency-Key": f"key-of-{name}"}))["id"])
    redo = await person.finished((await person.order(parent=job["id"]))["id"])
    assert (await person.http.post(f"/v1/generations/{job['id']}/stream-tickets")).status_code == 201
    assert (await person.http.delete(f"/v1/uploads/{gone['id']}")).status_code == 204
    rating = f"/v1/figurines/{job['figurines'][0]['id']}/rating"
    assert (await person.http.put(rating, json={"stars": 5})).status_code == 200
    visit = {"events": [{"page": "gallery", "seconds": 41}]}
    assert (await person.http.post("/v1/usage/events", json=visit)).json() == {"recorded": 1}
    await looked_at(site, person)
    attached = {"attachment": ("note.txt", f"Attached by {name}.".encode(), "text/plain")}
    question = {"subject": f"A question of {name}", "message": f"Words of {name} to support"}
    asked = await person.http.post("/v1/support", data=question, files=attached)
    assert asked.status_code == 201, asked.text
    figurines = [figurine["id"] for each in (job, redo) for figurine in each["figurines"]]
    return Belongings(
        person,
        [kept["id"], gone["id"], job["id"], redo["id"], *figurines, asked.json()["id"]],
        [f"{name} of the test", f"key-of-{name}", *question.values()],
    )


async def looked_at(site: Site, person: Visitor, reason: str = "asked_by_phone") -> None:
    """An operator uncovers who somebody is."""
    shown = await site.visitor().http.post(
        f"/admin/v1/accounts/{person.account_id}/reveal",
        json={"reason": reason},
        headers={"Authorization": f"Bearer {site.secret_keys['alpha']}"},
    )
    assert (shown.status_code, shown.json()["email"]) == (200, person.email), shown.text


async def buy(site: Site, person: Visitor, amount: int) -> None:
    """Credits that were paid for."""
    async with site.platform.database.transaction() as tx:
        brand_id = await tx.value("SELECT brand_id FROM account WHERE id = :id", id=person.account_id)
        await credits.grant(
            tx,
            brand_id=brand_id,
            account_id=person.account_id,
            amount=amount,
            key=f"bought:{person.account_id}",
            actor="shop",
            kind="purchased",
        )


async def come_back(person: Visitor) -> None:
    """Sign in again, the session having ended."""
    person.http.headers.pop("Authorization", None)
    await person.sign_in(person.email)


async def confirm(person: Visitor) -> None:
    """Enter a fresh code."""
    assert (await person.http.post("/v1/signin/codes", json={"email": person.email})).status_code == 202
    code = re.search(r"(?<!\d)(\d{6})(?!\d)", person.site.mailer.sent_to(person.email)[-1].text)
    assert code is not None
    answer = await person.http.post("/v1/session/confirm", json={"code": code.group(1)})
    assert answer.status_code == 204, answer.text


async def change_address(person: Visitor, email: str) -> httpx.Response:
    """Have a code mailed to a new address, and enter it."""
    old = person.http.headers["Authorization"]
    assert (await person.http.post("/v1/signin/codes", json={"email": email})).status_code == 202
    code = re.search(r"(?<!\d)(\d{6})(?!\d)", person.site.mailer.sent_to(email)[-1].text)
    assert code is not None
    answer = await person.http.put("/v1/account/email", json={"email": email, "code": code.group(1)})
    if answer.status_code == 200:
        person.email = email
    assert person.http.headers["Authorization"] == old
    return answer


async def ask(person: Visitor, kind: str, *, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    answer = await try_ask(person, kind, headers=headers, **body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def try_ask(person: Visitor, kind: str, *, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return await person.http.post("/v1/account/requests", json={"kind": kind, **body}, headers=headers or {})
