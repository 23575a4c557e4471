"""The whole road, walked by the canary: sign-up, consent, photo, order, pictures, requests, a question, every way to go wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeVar

import msgspec

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.credits import service as credits
from statuette.kernel.drill.asking import Answer, Browser, RoadBroken
from statuette.kernel.drill.canary import Canary
from statuette.kernel.platform import Platform

Result = TypeVar("Result")
Pause = Callable[[], Awaitable[None]]
"""Lets others get on for a moment."""

_CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")
_CREDITS = 20


class Letters(Protocol):
    """Where letters to the canary can be read."""

    def watch(self, address: str) -> None: ...

    def letters(self, address: str) -> list[str]: ...


class Walked(msgspec.Struct, frozen=True):
    """What the canary had at the end of the road.

    Attributes:
        ids: of records, by what they are.
        prefixes: where its objects are in the store.
        pictures: addresses under which pictures could be fetched.
        sent_photo: as it was uploaded.
    """

    account_id: str
    email: str
    ids: dict[str, str]
    prefixes: tuple[str, ...]
    pictures: tuple[str, ...]
    sent_photo: bytes


class Road:
    """Walks it step by step; `steps` says how far.

    Args:
        mailbox: where letters to the canary go, to which a tag is added.
        wait_seconds: how long a job, or a deletion, is waited for.
    """

    def __init__(
        self,
        platform: Platform,
        brand: LoadedBrand,
        canary: Canary,
        browser: Browser,
        letters: Letters,
        pause: Pause,
        *,
        mailbox: str,
        wait_seconds: float,
    ) -> None:
        self._platform = platform
        self._brand = brand
        self._canary = canary
        self._browser = browser
        self._letters = letters
        self._pause = pause
        self._wait_seconds = wait_seconds
        self.email = canary.email(mailbox)
        self.account_id: str | None = None
        self.steps: list[str] = []

    async def walk(self, marked: Callable[[str], Awaitable[None]]) -> Walked:
        """All of it.

        Args:
            marked: told the account's id as soon as there is one, so that it is found again whatever happens.

        Raises:
            RoadBroken: names the step.
        """
        words = self._canary.words
        account_id = await self._sign_up(marked)
        await self._step("name", "PATCH", "/v1/account", json={"name": words["name"]})
        await self._step("consent", "PUT", "/v1/account/consents/generation", json={"granted": True})
        await self._grant(account_id)
        photo = self._canary.photo()
        upload = await self._upload(photo)
        await self._step("save the photo", "PUT", f"/v1/uploads/{upload['id']}/saved", status=(200, 204))
        job = await self._order(upload["id"])
        figurines = job["figurines"]
        if not figurines:
            raise RoadBroken(f"order: the job ended {job['state']}, with the reason {job['reason']}.")
        pictures = (upload["image_url"], *(address for each in figurines for address in each["images"].values()))
        for address in pictures:
            await self._browser.must("fetch a picture", "GET", _path(address))
        self.steps.append("fetch every picture")
        await self._step("watch", "POST", f"/v1/generations/{job['id']}/stream-tickets", status=201)
        request = await self._step(
            "ask for a correction",
            "POST",
            "/v1/account/requests",
            json={"kind": "correction", "statement": words["statement"]},
            status=201,
        )
        question = await self._ask_support()
        await self._go_wrong(upload["id"])
        ids = {
            "account": account_id,
            "upload": upload["id"],
            "generation": job["id"],
            "privacy request": request.json()["id"],
            "question": question,
            **{f"figurine {number}": each["id"] for number, each in enumerate(figurines, 1)},
        }
        prefixes = (
            f"uploads/{self._brand.id}/{upload['id']}/",
            *(f"figurines/{self._brand.id}/{each['id']}/" for each in figurines),
            f"support/{self._brand.id}/{question}/",
        )
        return Walked(account_id, self.email, ids, prefixes, tuple(_path(address) for address in pictures), photo)

    async def end(self, walked: Walked) -> dict[str, Any]:
        """Have the photo deleted, then the account erased without days to change one's mind; returns its receipt's file."""
        await self._confirm()
        correction = walked.ids["privacy request"]
        await self._step("take the correction back", "POST", f"/v1/account/requests/{correction}/cancel")
        await self._step("delete the photo", "DELETE", f"/v1/uploads/{walked.ids['upload']}", status=204)
        asked = await self._step(
            "erase the account", "POST", "/v1/account/requests", json={"kind": "erasure", "at_once": True}, status=201
        )
        address = _path(asked.json()["receipt_address"])

        async def receipt() -> Answer | None:
            answer = await self._browser.ask("GET", address, headers={"authorization": ""})
            return answer if answer.status == 200 else None

        answer = await self._until("erase the account", receipt)
        self.steps.append("receive the receipt")
        request_id = asked.json()["id"]

        async def concluded() -> bool | None:
            async with self._platform.database.read() as reader:
                state = await reader.value("SELECT state FROM privacy_request WHERE id = :id", id=request_id)
            return True if state == "completed" else None

        await self._until("conclude the erasure", concluded)
        await self.settled((request_id,))
        file: dict[str, Any] = answer.json()
        return file

    async def settled(self, ids: Iterable[str]) -> None:
        """Wait until no work on these records is left that is due: letters are written, providers told."""
        wanted = tuple(ids)

        async def idle() -> bool | None:
            async with self._platform.database.read() as reader:
                for each in wanted:
                    if await reader.value(
                        "SELECT 1 AS due FROM work_item WHERE subject_id LIKE :about AND due_at <= :now LIMIT 1",
                        about=f"%{each}%",
                        now=reader.now,
                    ):
                        return None
            return True

        await self._until("settle", idle)

    async def _sign_up(self, marked: Callable[[str], Awaitable[None]]) -> str:
        asked = await self._browser.must("statements", "GET", "/v1/statements")
        statements = {each["id"]: each["digest"] for each in asked.json()["items"] if each["asked"] == "signup"}
        self._letters.watch(self.email)
        code = await self._code()
        session = await self._step(
            "sign up",
            "POST",
            "/v1/signin",
            json={"email": self.email, "code": code, "statements": statements},
            status=201,
        )
        self._browser.headers["authorization"] = f"Bearer {session.json()['token']}"
        self.account_id = account_id = str(session.json()["account_id"])
        await marked(account_id)
        return account_id

    async def _confirm(self) -> None:
        await self._step("confirm", "POST", "/v1/session/confirm", json={"code": await self._code()}, status=204)

    async def _code(self) -> str:
        before = len(self._letters.letters(self.email))
        await self._browser.must("ask for a code", "POST", "/v1/signin/codes", json={"email": self.email}, status=202)

        async def newest() -> str | None:
            found = [_CODE.search(letter) for letter in self._letters.letters(self.email)[before:]]
            codes = [match.group(1) for match in found if match is not None]
            return codes[-1] if codes else None

        return await self._until("ask for a code", newest)

    async def _grant(self, account_id: str) -> None:
        async with self._platform.database.transaction() as tx:
            await credits.grant(
                tx,
                brand_id=self._brand.id,
                account_id=account_id,
                amount=_CREDITS,
                key=f"drill:{account_id}",
                actor="drill",
            )
        self.steps.append("get credits")

    async def _upload(self, photo: bytes) -> dict[str, Any]:
        words = self._canary.words
        answer = await self._step(
            "upload",
            "POST",
            "/v1/uploads",
            photo=(f"{words['file name']}.jpg", photo, {"statement": "true"}),
            headers={"idempotency-key": f"{words['idempotency key']}u"},
            status=201,
        )
        upload: dict[str, Any] = answer.json()
        return upload

    async def _order(self, upload_id: str) -> dict[str, Any]:
        words = self._canary.words
        styles = (await self._browser.must("styles", "GET", "/v1/styles")).json()["items"]
        # The style that takes the most words, and of those the cheapest.
        style = max(styles, key=lambda each: (len(_texts(each)), -each["credits"]))
        order = {
            "inputs": [{"upload_id": upload_id}],
            "style": style["slug"],
            "variables": {name: words["typed words"] for name, longest in _texts(style).items() if longest >= 16},
            "notify": True,
        }
        answer = await self._step(
            "order",
            "POST",
            "/v1/generations",
            json=order,
            headers={"idempotency-key": words["idempotency key"]},
            status=202,
        )
        path = f"/v1/generations/{answer.json()['id']}"

        async def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = (await self._browser.must("order", "GET", path)).json()
            return job if job["final"] else None

        job = await self._until("order", ended)
        self.steps.append("get the pictures")
        return job

    async def _ask_support(self) -> str:
        """Ask a question, with a text attached; returns its id."""
        words = self._canary.words
        answer = await self._step(
            "ask a question",
            "POST",
            "/v1/account/support",
            attachment=(
                f"{words['file name']}.txt",
                "\n".join([words["attached"]] * 20).encode(),
                {"subject": words["subject"], "message": words["question"]},
            ),
            headers={"idempotency-key": f"{words['idempotency key']}q"},
            status=201,
        )
        return str(answer.json()["id"])

    async def _go_wrong(self, upload_id: str) -> None:
        """What is refused is told to nobody either."""
        words = self._canary.words
        wrong = {"inputs": [{"upload_id": upload_id}], "style": words["wrong order"]}
        for method, path, more in (
            ("GET", f"/v1/{words['query']}?{words['query']}={words['query']}", {}),
            ("GET", f"/v1/uploads/{words['query']}", {}),
            ("GET", f"/v1/uploads?cursor={words['query']}", {}),
            ("POST", "/v1/generations", {"json": wrong}),
            ("POST", "/v1/generations", {"json": {words["wrong order"]: words["wrong order"]}}),
            ("POST", "/v1/signin", {"json": {"email": self.email, "code": words["wrong code"]}}),
            ("POST", "/v1/uploads", {"photo": (words["file name"], words["comment"].encode(), {"statement": "true"})}),
        ):
            answer = await self._browser.ask(method, path, **more)
            if answer.status < 400 or answer.status >= 500:
                raise RoadBroken(f"go wrong: {method} was answered with {answer.status}.")
        self.steps.append("be refused in every way")

    async def _step(
        self, name: str, method: str, path: str, *, status: int | tuple[int, ...] = 200, **more: Any
    ) -> Answer:
        answer = await self._browser.ask(method, path, **more)
        wanted = status if isinstance(status, tuple) else (status,)
        if answer.status not in wanted:
            raise RoadBroken(f"{name}: answered with {answer.status} {answer.code}.")
        self.steps.append(name)
        return answer

    async def _until(self, step: str, look: Callable[[], Awaitable[Result | None]]) -> Result:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait_seconds
        while (found := await look()) is None:
            if loop.time() > until:
                raise RoadBroken(
                    f"{step}: nothing came of it within {self._wait_seconds:.0f} seconds.",
                    cure="See that workers and the scheduler run (`statuette processes`), or wait longer.",
                )
            await self._pause()
        return found


def _texts(style: dict[str, Any]) -> dict[str, int]:
    """The choices of a style that take free words, and how long these may be."""
    return {each["name"]: each["max_length"] for each in style["variables"] if each["kind"] == "text"}


def _path(address: str) -> str:
    """An address without scheme and host."""
    return "/" + address.split("//", 1)[-1].partition("/")[2] if "//" in address else address
