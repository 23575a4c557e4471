"""What stands before the API processes of a site: a load balancer, as the client's own transport."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

import httpx

CHECK_SECONDS = 0.1
_CHECK_TIMEOUT_SECONDS = 1.0
# A busy process answers late now and then. One that says no, or does not listen, is believed at once.
_LATE_AT_MOST = 3


class Balancer(httpx.AsyncBaseTransport):
    """Sends each request to a process that is ready, in turn. TLS ends here, so the address may be `https`.

    A process that refuses the connection has not seen the request: the next one gets it. What breaks later is the client's
    to repeat, with its `Idempotency-Key`.

    Attributes:
        urls: of the processes.
        refused: connections that were refused, so that another process was tried.
        broken: requests whose connection broke after they were sent, or that timed out.
        homeless: requests for which no process was ready; answered 503.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = list(urls)
        self.refused = self.broken = self.homeless = 0
        self._ready: set[str] = set()
        self._turn = 0
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=None, keepalive_expiry=30))
        self._checking: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        self._checking = [asyncio.create_task(self._check(url)) for url in self.urls]
        return self

    async def __aexit__(self, *exit_arguments: object) -> None:
        for task in self._checking:
            task.cancel()
        await asyncio.gather(*self._checking, return_exceptions=True)
        await self._transport.aclose()

    def client(self, base_url: str) -> httpx.AsyncClient:
        """Somebody who comes through here."""
        return httpx.AsyncClient(base_url=base_url, transport=_Shared(self), timeout=30)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for url in self._in_turn():
            try:
                return await self._transport.handle_async_request(_addressed(request, url))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                self.refused += 1
                self._ready.discard(url)
            except httpx.TransportError:
                self.broken += 1
                raise
        self.homeless += 1
        return httpx.Response(503, json={"code": "no_process_ready"})

    async def has_found(self, url: str) -> None:
        """Until requests go to a process."""
        while url not in self._ready:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(CHECK_SECONDS)

    def _in_turn(self) -> list[str]:
        ready = [url for url in self.urls if url in self._ready]
        self._turn += 1
        first = self._turn % len(ready) if ready else 0
        return ready[first:] + ready[:first]

    async def _check(self, url: str) -> None:
        late = 0
        async with httpx.AsyncClient(trust_env=False, timeout=_CHECK_TIMEOUT_SECONDS) as http:
            while True:
                try:
                    ready = (await http.get(f"{url}/readyz")).status_code == 200
                    late = 0
                except httpx.TimeoutException:
                    late += 1
                    ready = url in self._ready and late < _LATE_AT_MOST
                except httpx.TransportError:
                    ready = False
                if ready:
                    self._ready.add(url)
                else:
                    self._ready.discard(url)
                await asyncio.sleep(CHECK_SECONDS)


class _Shared(httpx.AsyncBaseTransport):
    """A transport that many clients share, and none of them closes."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)


def _addressed(request: httpx.Request, url: str) -> httpx.Request:
    """The same request, for that process. The host that the client named stays in its header."""
    there = urlsplit(url)
    target = request.url.copy_with(scheme=there.scheme, host=there.hostname, port=there.port)
    return httpx.Request(
        request.method, target, headers=request.headers, stream=request.stream, extensions=request.extensions
    )
