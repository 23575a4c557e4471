"""A network that fails between us and PostgreSQL: where and when a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from urllib.parse import urlsplit, urlunsplit

# https://www.postgresql.org/docs/current/protocol-message-formats.html, "Query"
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Commits(Enum):
    """What becomes of a COMMIT."""

    arrive = "it arrives, and so does its answer"
    lost = "the connection breaks, and the server never hears of it"
    unanswered = "the server commits, and the connection breaks before its answer"


class Network:
    """Carries connections to one server.

    Attributes:
        url: leads to the server by way of this network.
        commits: what becomes of every COMMIT from now on.
        cut: how many connections broke at a COMMIT.
        hangs_up: whether we learn that the server has closed a connection.
    """

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._links: set[_Link] = set()
        self.url = ""
        self.commits = Commits.arrive
        self.cut = 0
        self.hangs_up = True

    def fall_silent(self) -> None:
        """Nothing comes through any more on the connections of now, and nobody is told. Later ones are not affected."""
        for link in self._links:
            link.silent = True

    def end(self) -> None:
        """Nothing is carried any more, and both sides learn of it."""
        for link in self._links:
            link.cut()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await asyncio.open_connection(self._server.hostname, self._server.port)
        except BaseException as error:
            writer.transport.abort()
            if isinstance(error, ConnectionError):
                return
            raise
        link = _Link(self, (reader, writer), server)
        self._links.add(link)
        try:
            await link.last()
        finally:
            self._links.discard(link)


class _Link:
    """One connection."""

    def __init__(
        self,
        network: Network,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._network = network
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._answer_held_back = asyncio.Event()
        self.silent = False

    async def last(self) -> None:
        """Carry until either side is gone or the network cuts."""
        directions = [asyncio.create_task(self._up()), asyncio.create_task(self._down())]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cut()
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    def cut(self) -> None:
        for writer in (self._to_client, self._to_server):
            writer.transport.abort()

    async def _up(self) -> None:
        while sent := await self._from_client.read(65_536):
            if sent == _COMMIT and self._network.commits is not Commits.arrive:
                self._network.cut += 1
                if self._network.commits is Commits.unanswered:
                    self.silent = True
                    self._to_server.write(sent)
                    await self._answer_held_back.wait()
                return
            if not self.silent:
                self._to_server.write(sent)

    async def _down(self) -> None:
        while sent := await self._from_server.read(65_536):
            if self.silent:
                self._answer_held_back.set()
            else:
                self._to_client.write(sent)
        if not self._network.hangs_up:
            await asyncio.Event().wait()


@asynccontextmanager
async def network(url: str) -> AsyncIterator[Network]:
    """A network to the server of `url`."""
    carried = Network(url)
    server = await asyncio.start_server(carried.carry, "127.0.0.1", 0)
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    carried.url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    try:
        yield carried
    finally:
        server.close()
        carried.end()  # else whoever still holds a connection waits in vain for the other side to hang up
