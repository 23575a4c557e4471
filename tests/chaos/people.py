"""People who use a site while it is being killed: they repeat what was not answered, with the same Idempotency-Key."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from statuette.testing.pictures import photo_jpeg
from tests.chaos.processes import Server

CREDITS = 10_000
_AGAIN = frozenset({409, 429, 503})


@dataclass
class Person:
    """One visitor, and what the site has promised them.

    Attributes:
        orders: the job's id, by the key it was ordered with.
        uploads: photos taken in and not deleted by this person.
        deleted: photos and figurines whose deletion was accepted.
        answers: how often which action was answered how.
        unanswered: requests that a kill cut off.
        broken: answers that no client should ever get.
    """

    server: Server
    name: str
    choices: random.Random
    ordered: Callable[[], None]
    orders: dict[str, str] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    broken: list[str] = field(default_factory=list)
    account_id: str = ""
    _keys: int = 0

    def __post_init__(self) -> None:
        self.http = httpx.AsyncClient(base_url=self.server.url, timeout=20, trust_env=False)

    async def arrive(self, operator_key: str) -> None:
        """Sign in, agree, and get credits."""
        email = f"{self.name}@example.org"
        await self.http.post("/v1/signin/codes", json={"email": email})
        session = await self.http.post("/v1/signin", json={"email": email, "code": await self.server.mailed_code()})
        assert session.status_code == 201, session.text
        self.account_id = session.json()["account_id"]
        granted = await self.http.post(
            f"/admin/v1/accounts/{self.account_id}/credits",
            json={"amount": CREDITS},
            headers={"Authorization": f"Bearer {operator_key}", "Idempotency-Key": f"welcome-{self.name}"},
        )
        assert granted.status_code == 201, granted.text
        self.http.headers["Authorization"] = f"Bearer {session.json()['token']}"
        agreed = await self.http.put("/v1/account/consents/generation", json={"granted": True})
        assert agreed.status_code == 200, agreed.text

    async def act_until(self, over: asyncio.Event) -> None:
        """One action after the other."""
        while not over.is_set():
            wanted = ["upload"] * 2 + ["order"] * 5 + ["redo", "cancel", "save", "delete_upload", "delete_figurine"]
            action = self.choices.choice(wanted)
            if action == "order" and not self.uploads:
                action = "upload"
            await getattr(self, f"_{action}")()
            await asyncio.sleep(self.choices.uniform(0, 0.1))

    async def _upload(self) -> None:
        photo = photo_jpeg(seed=self.choices.randrange(1000))
        answer = await self._call(
            "upload", "POST", "/v1/uploads", files={"photo": ("p.jpg", photo)}, data={"statement": "true"}
        )
        if answer.status_code == 201:
            self.uploads.append(answer.json()["id"])

    async def _order(self) -> None:
        inputs = [{"upload_id": self.choices.choice(self.uploads)}]
        style = self.choices.choice(["chibi", "bust"])
        await self._place({"inputs": inputs, "style": style, "count": self.choices.choice([1, 1, 2])})

    async def _redo(self) -> None:
        if self.orders:
            await self._place({"parent": self.choices.choice(list(self.orders.values()))})

    async def _place(self, body: dict[str, Any]) -> None:
        key = self._next_key()
        self.ordered()
        answer = await self._call("order", "POST", "/v1/generations", key=key, json=body)
        if answer.status_code in (200, 202):
            self.orders[key] = answer.json()["id"]

    async def _cancel(self) -> None:
        if self.orders:
            newest = list(self.orders.values())[-1]
            await self._call("cancel", "POST", f"/v1/generations/{newest}/cancel", expected=frozenset({409}))

    async def _save(self) -> None:
        if self.uploads:
            await self._call("save", "PUT", f"/v1/uploads/{self.choices.choice(self.uploads)}/saved")

    async def _delete_upload(self) -> None:
        if len(self.uploads) > 2:
            upload_id = self.uploads.pop(self.choices.randrange(len(self.uploads)))
            await self._delete("delete upload", f"/v1/uploads/{upload_id}", upload_id)

    async def _delete_figurine(self) -> None:
        if self.orders:
            job = await self._call("read", "GET", f"/v1/generations/{self.choices.choice(list(self.orders.values()))}")
            if job.status_code == 200 and job.json()["final"] and job.json()["figurines"]:
                figurine_id = job.json()["figurines"][0]["id"]
                await self._delete("delete figurine", f"/v1/figurines/{figurine_id}", figurine_id)

    async def _delete(self, name: str, path: str, record_id: str) -> None:
        answer = await self._call(name, "DELETE", path)
        # 404: the first try was cut off after it had been carried out.
        if answer.status_code in (204, 404):
            self.deleted.add(record_id)

    async def _call(
        self,
        name: str,
        method: str,
        path: str,
        *,
        key: str | None = None,
        expected: frozenset[int] = frozenset(),
        **request: Any,
    ) -> httpx.Response:
        """Send until it is answered for good."""
        headers = {"Idempotency-Key": key or self._next_key()} if method == "POST" else {}
        while True:
            try:
                answer = await self.http.request(method, path, headers=headers, **request)
            except httpx.TransportError:
                self.unanswered += 1
                await asyncio.sleep(0.1)
                continue
            if answer.status_code in _AGAIN - expected:
                await asyncio.sleep(0.2)
                continue
            self.answers[f"{name} {answer.status_code}"] += 1
            if answer.status_code >= 500:
                self.broken.append(f"{method} {path}: {answer.text[:200]}")
            return answer

    def _next_key(self) -> str:
        self._keys += 1
        return f"{self.name}-{self._keys}"
