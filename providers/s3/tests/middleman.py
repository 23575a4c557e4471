"""An HTTP server between the provider and a store, that looks at requests and may answer some in the store's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import httpx

from statuette.testing.wire import WireReply, WireRequest, WireServer

Answer = tuple[int, bytes]
Judge = Callable[[WireRequest], Answer | None]


def said(status: int, code: str, extra: str = "") -> Answer:
    """An error as S3 words it."""
    body = f"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{code}</Code><Message>no</Message>{extra}</Error>"
    return status, body.encode()


class Middleman:
    """Passes every request on, but those that `judge` answers.

    Attributes:
        judge: what to answer; None to pass the request on. May change the request's headers.
        requests: all that came, as method and path.
    """

    def __init__(self, store_url: str) -> None:
        self._store_url = store_url
        self._server = WireServer(self._handle)
        self._client = httpx.AsyncClient(trust_env=False, timeout=30)
        self.judge: Judge = lambda _: None
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return self._server.base_url

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()
        await self._client.aclose()

    async def _handle(self, request: WireRequest, reply: WireReply) -> None:
        self.requests.append(f"{request.method} {request.path}")
        answer = self.judge(request)
        if answer is not None:
            status, body = answer
            headers = {"content-type": "application/xml"}
            if status == 301:
                headers["x-amz-bucket-region"] = "eu-central-1"  # as Amazon does, even in answers to HEAD
            await reply.send(status, b"" if request.method == "HEAD" else body, headers)
            return
        passed = await self._client.request(
            request.method, f"{self._store_url}{request.path}", headers=request.headers, content=request.body
        )
        headers = {name: value for name, value in passed.headers.items() if name not in ("transfer-encoding", "date")}
        length = int(headers.pop("content-length", len(passed.content)))
        await reply.send_head(passed.status_code, length, headers)
        await reply.write(passed.content)
