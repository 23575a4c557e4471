"""A small HTTP/1.1 server on a loopback socket, for simulators that must also misbehave below HTTP.

ASGI servers protect their applications from sending half an answer or resetting a connection; a simulator must do both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Self

_MAX_HEAD_BYTES = 64 * 1024
_MAX_BODY_BYTES = 64 * 1024 * 1024


class WireRequest:
    """One request, read completely. `headers` have lower-case names."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body


class WireReply:
    """The open connection, to answer on as well or as badly as the simulator likes."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.keep_alive = True

    async def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """A whole, correct answer."""
        await self.send_head(status, len(body), headers)
        await self.write(body)

    async def send_head(self, status: int, content_length: int | None, headers: dict[str, str] | None = None) -> None:
        """Announce a body of that many bytes (None: until the connection ends); the rest is the caller's business."""
        lines = {"content-type": "application/json; charset=UTF-8"}
        if content_length is None:
            lines["connection"] = "close"
            self.close()
        else:
            lines["content-length"] = str(content_length)
        lines.update(headers or {})
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._writer.write(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode("latin-1"))
        await self._writer.drain()

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Hang up politely after what was written."""
        self.keep_alive = False

    def reset(self) -> None:
        """Hang up without a word; buffered bytes are dropped."""
        self.keep_alive = False
        self._writer.transport.abort()


class _NoticingReader(asyncio.StreamReader):
    """A reader that says when the peer has hung up, even while nobody reads."""

    def __init__(self) -> None:
        super().__init__(limit=_MAX_HEAD_BYTES)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.gone.set()


Handler = Callable[[WireRequest, WireReply], Awaitable[None]]


class WireServer:
    """Serves `handler` on a free loopback port (or `port`) between entering and leaving the context."""

    def __init__(self, handler: Handler, *, port: int = 0) -> None:
        self._handler = handler
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:port`, without a trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self._port, backlog=2048)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = _NoticingReader()

        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = asyncio.get_running_loop().create_task(self._serve(reader, writer))
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)

        return asyncio.StreamReaderProtocol(reader, accept)

    async def _serve(self, reader: _NoticingReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                reply = WireReply(writer)
                if await self._handle_unless_gone(request, reply, reader) or not reply.keep_alive:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # a peer that leaves early or talks nonsense is not the simulator's failure
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _handle_unless_gone(self, request: WireRequest, reply: WireReply, reader: _NoticingReader) -> bool:
        """Run the handler; stop it when the client hangs up. Returns whether the client did."""
        handling = asyncio.ensure_future(self._handler(request, reply))
        leaving = asyncio.ensure_future(reader.gone.wait())
        try:
            await asyncio.wait({handling, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if handling.done():
                handling.result()
            return not handling.done()
        finally:
            for task in (handling, leaving):
                task.cancel()
            await asyncio.gather(handling, leaving, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> WireRequest | None:
    """The next request, or None when the peer has finished."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request_line, *header_lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = request_line.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in header_lines)}
    length = int(headers.get("content-length", "0"))
    if length > _MAX_BODY_BYTES:
        raise ValueError("body too long")
    return WireRequest(method, path, headers, await reader.readexactly(length))
