"""Somebody who uses a site while it is being mistreated: what is not answered is sent again, with the same Idempotency-Key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx

from statuette.testing.pictures import photo_jpeg
from tests.chaos.deployment import HOST, Deployment
from tests.chaos.promises import Promises

CREDITS = 10_000
_AGAIN = frozenset({409, 429, 503})
_PAUSE_SECONDS = 0.2
_PATIENCE_SECONDS = 90
_LONGEST_WAIT_SECONDS = 20


class Person:
    """One visitor.

    Attributes:
        promises: what the site has told them.
        http: their browser, signed in once they have arrived.
        jobs: ids of what they ordered, oldest first.
        photos: ids of photos that they have not deleted.
    """

    def __init__(self, deployment: Deployment, name: str, host: str = HOST) -> None:
        self.name = name
        self.email = f"{name}.goldfeather@mailbox.example"
        self.words = f"Plinth-{name}"
        self.promises = Promises()
        self.http = deployment.client(host)
        self.address = f"203.0.113.{sum(name.encode()) % 250}"
        self.http.headers.update({"X-Forwarded-For": self.address, "User-Agent": f"Browser of {name}"})
        self.jobs: list[str] = []
        self.photos: list[str] = []
        self.account_id = ""
        self._deployment = deployment
        self._keys = 0

    async def arrive(self, operator_key: str) -> None:
        """Sign in, agree, and get credits."""
        await self.call("code", "POST", "/v1/signin/codes", json={"email": self.email})
        code = await self._deployment.mailed_code(self.email)
        session = await self.call("sign in", "POST", "/v1/signin", json={"email": self.email, "code": code})
        assert session.status_code == 201, session.text
        self.account_id, token = session.json()["account_id"], session.json()["token"]
        granted = await self.call(
            "grant",
            "POST",
            f"/admin/v1/accounts/{self.account_id}/credits",
            headers={"Authorization": f"Bearer {operator_key}"},
            json={"amount": CREDITS},
        )
        assert granted.status_code == 201, granted.text
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.promises.private |= {
            f"e-mail of {self.name}": self.email,
            f"words of {self.name}": self.words,
            f"network address of {self.name}": self.address,
            f"browser of {self.name}": self.http.headers["User-Agent"],
            f"session of {self.name}": token,
            "operator's key": operator_key,
        }
        await self.agree()

    async def agree(self) -> None:
        """Give consent, or give it again."""
        self.promises.withdrawn = [
            (account_id, begin, end or datetime.now(UTC)) for account_id, begin, end in self.promises.withdrawn
        ]
        await self._decide(granted=True)

    async def withdraw(self) -> None:
        """Take consent back; what is under way is cancelled."""
        if await self._decide(granted=False):
            self.promises.withdrawn.append((self.account_id, datetime.now(UTC), None))

    async def upload(self, seed: int = 0) -> str:
        """A photo of their own; its id."""
        answer = await self.try_upload(seed)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def try_upload(self, seed: int = 0) -> httpx.Response:
        photo = {"photo": ("p.jpg", photo_jpeg(seed=seed))}
        answer = await self.call("upload", "POST", "/v1/uploads", files=photo, data={"statement": "true"})
        if answer.status_code == 201:
            self.photos.append(answer.json()["id"])
            self.promises.photos.add(self.photos[-1])
        return answer

    async def order(self, **body: Any) -> str:
        """A job; its id. Of the newest photo unless `body` says of what."""
        answer = await self.try_order(**body)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["id"])

    async def try_order(self, *, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        if "parent" not in body:
            variables = {"name_text": self.words}
            body = {"inputs": [{"upload_id": self.photos[-1]}], "style": "chibi", "variables": variables, **body}
        answer = await self.call("order", "POST", "/v1/generations", headers=headers, json=body)
        if answer.status_code in (200, 202):
            self.jobs.append(answer.json()["id"])
            self.promises.jobs.add(self.jobs[-1])
        return answer

    async def job(self, job_id: str) -> dict[str, Any]:
        """As it is now."""
        return dict((await self.call("read", "GET", f"/v1/generations/{job_id}")).json())

    async def finished(self, job_id: str, within_seconds: float = 60) -> dict[str, Any]:
        """The job, once it has ended. Raises `TimeoutError`."""
        async with asyncio.timeout(within_seconds):
            while True:
                wait = {"Prefer": f"wait={_LONGEST_WAIT_SECONDS}"}
                job = dict((await self.call("wait", "GET", f"/v1/generations/{job_id}", headers=wait)).json())
                if job["final"]:
                    return job

    async def cancel(self, job_id: str) -> None:
        """Unless it has ended."""
        await self.call("cancel", "POST", f"/v1/generations/{job_id}/cancel", expected=frozenset({409}))

    async def save(self, upload_id: str) -> None:
        await self.call("save", "PUT", f"/v1/uploads/{upload_id}/saved")

    async def delete_photo(self, upload_id: str) -> None:
        self.photos.remove(upload_id)
        self.promises.photos.discard(upload_id)
        await self._delete("delete photo", f"/v1/uploads/{upload_id}", upload_id)

    async def delete_figurine(self, figurine_id: str) -> None:
        await self._delete("delete figurine", f"/v1/figurines/{figurine_id}", figurine_id)

    async def credits(self) -> dict[str, Any]:
        return dict((await self.call("credits", "GET", "/v1/credits")).json())

    async def call(
        self,
        name: str,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        expected: frozenset[int] = frozenset(),
        **request: Any,
    ) -> httpx.Response:
        """Send until it is answered for good; the last answer, should that take too long."""
        key = {"Idempotency-Key": self.next_key()} if method == "POST" else {}
        until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while True:
            try:
                answer = await self.http.request(method, path, headers={**key, **(headers or {})}, **request)
            except httpx.TransportError as error:
                self.promises.unanswered += 1
                answer = httpx.Response(504, text=type(error).__name__)
            again = answer.status_code == 504 or answer.status_code in _AGAIN - expected
            if not again or asyncio.get_running_loop().time() > until:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        self.promises.answers[f"{name} {answer.status_code}"] += 1
        if again or answer.status_code >= 500:
            self.promises.broken.append(f"{self.name}: {method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def next_key(self) -> str:
        self._keys += 1
        return f"{self.name}-{self._keys}"

    async def _decide(self, *, granted: bool) -> bool:
        answer = await self.call("consent", "PUT", "/v1/account/consents/generation", json={"granted": granted})
        return answer.status_code == 200

    async def _delete(self, name: str, path: str, record_id: str) -> None:
        answer = await self.call(name, "DELETE", path)
        # 404: the first try was cut off after it had been carried out.
        if answer.status_code in (204, 404):
            self.promises.deleted.add(record_id)
