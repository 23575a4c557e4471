"""A TCP proxy on loopback that misbehaves on request: slow, silent, refusing, resetting, cut in the middle.

    async with FaultProxy(server.port) as proxy:
        client = connect(f"http://127.0.0.1:{proxy.port}")
        proxy.cut(after_sent=100_000)
        ...
        proxy.heal()

It knows nothing of what passes through it, so it serves for HTTP, Redis and PostgreSQL alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Self

_CHUNK_BYTES = 16 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST instead of FIN


class _Cut(Exception):
    """As many bytes have passed as were to pass."""


class FaultProxy:
    """Between entering and leaving the context, passes connections on to `target_port` on 127.0.0.1.

    Args:
        tls: what to speak with clients; the target is always spoken to in the clear.

    Attributes:
        port: where clients connect; the same for the whole life.
        accepted: connections that clients made so far.
        heard: bytes that clients sent so far, passed on or not.
        cuts: connections that were cut by `cut`.
    """

    def __init__(self, target_port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._target_port = target_port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0
        self.accepted = 0
        self.heard = 0
        self.cuts = 0
        self._delay_seconds = 0.0
        self._resetting = False
        self._passing = asyncio.Event()
        self._limits: tuple[int | None, int | None] = (None, None)
        self._cuts_left: int | None = None

    async def __aenter__(self) -> Self:
        self._passing.set()
        await self.welcome()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def slow(self, seconds: float) -> None:
        """Every piece of up to 16 KiB waits so long before it is passed on, in both directions."""
        self._delay_seconds = seconds

    def silence(self) -> None:
        """Nothing is passed on any more, in either direction; connections stay open and new ones are accepted."""
        self._passing.clear()

    def reset(self) -> None:
        """New connections are accepted and reset at once."""
        self._resetting = True

    async def refuse(self) -> None:
        """Nobody listens any more, and open connections are reset."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def welcome(self) -> None:
        """Listen again after `refuse`, on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port, ssl=self._tls)
            self.port = self._server.sockets[0].getsockname()[1]

    def cut(
        self, *, after_sent: int | None = None, after_received: int | None = None, times: int | None = None
    ) -> None:
        """End connections, on both sides, once so many bytes of them have been passed on. Those bytes do arrive.

        Args:
            after_sent: from the client to the server.
            after_received: from the server to the client.
            times: how many connections; None for all until `heal`. Connections that are open count from now.
        """
        self._limits = (after_sent, after_received)
        self._cuts_left = times

    def heal(self) -> None:
        """Be a good proxy again; `welcome` is needed after `refuse`."""
        self._delay_seconds = 0.0
        self._resetting = False
        self._limits = (None, None)
        self._passing.set()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self._resetting:
                _abort(writer)
                return
            with contextlib.suppress(OSError):
                await self._connected(reader, writer)
        except asyncio.CancelledError:
            pass  # by `refuse`: the connection was reset, which is all there is to say
        finally:
            self._connections.discard(task)
            writer.close()  # also of whom the target refused, or who was turned away before it was reached

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        directions = [
            asyncio.ensure_future(self._pass_on(reader, there_writer, lambda: self._limits[0], self._hear)),
            asyncio.ensure_future(self._pass_on(there_reader, writer, lambda: self._limits[1])),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            done = [direction for direction in directions if direction.done()]
            lost = len(done) < len(directions) and not any(isinstance(one.exception(), _Cut) for one in done)
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            for end in (writer, there_writer):
                if lost:
                    _abort(end)
                else:
                    end.close()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit: Callable[[], int | None],
        hears: Callable[[bytes], None] = lambda data: None,
    ) -> None:
        """Until the end. Raises `_Cut` where the connection is to be cut."""
        passed, counted_limit = 0, limit()
        while data := await reader.read(_CHUNK_BYTES):
            hears(data)
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            await self._passing.wait()
            if limit() != counted_limit:
                passed, counted_limit = 0, limit()
            if counted_limit is not None and passed + len(data) >= counted_limit:
                writer.write(data[: counted_limit - passed])
                await writer.drain()
                self._count_cut()
                raise _Cut
            passed += len(data)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    def _hear(self, data: bytes) -> None:
        self.heard += len(data)

    def _count_cut(self) -> None:
        self.cuts += 1
        if self._cuts_left is not None:
            self._cuts_left -= 1
            if self._cuts_left == 0:
                self._limits = (None, None)


def _abort(writer: asyncio.StreamWriter) -> None:
    peer = writer.get_extra_info("socket")
    if peer is not None:
        with contextlib.suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
