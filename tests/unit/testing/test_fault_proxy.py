"""The proxy that others rely on to misbehave does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from statuette.testing.fault_proxy import FaultProxy

PIECE = b"0123456789"


@pytest.fixture
async def received() -> list[bytes]:
    """What the server behind the proxy got, a connection each."""
    return []


@pytest.fixture
async def proxy(received: list[bytes]) -> AsyncIterator[FaultProxy]:
    """In front of a server that answers ten times what it is told, ten bytes at a time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got = b""
        try:
            while data := await reader.read(10):
                got += data
                writer.write(data * 10)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            received.append(got)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with FaultProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


async def talk(proxy: FaultProxy, said: bytes = PIECE) -> bytes:
    """Say something, and hear everything until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(said)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


async def test_left_alone_it_passes_everything_on(proxy: FaultProxy, received: list[bytes]) -> None:
    assert await talk(proxy) == PIECE * 10
    assert (received, proxy.accepted, proxy.cuts) == ([PIECE], 1, 0)


async def test_what_was_sent_before_the_cut_arrives_and_nothing_else(proxy: FaultProxy, received: list[bytes]) -> None:
    proxy.cut(after_sent=4, times=1)

    await talk(proxy)
    answer = await talk(proxy)

    assert received == [PIECE[:4], PIECE]
    assert (answer, proxy.cuts) == (PIECE * 10, 1)


async def test_an_answer_is_cut_where_it_was_to_be_cut_until_it_heals(proxy: FaultProxy) -> None:
    proxy.cut(after_received=37)

    cut = [await talk(proxy) for _ in range(3)]
    proxy.heal()

    assert cut == [(PIECE * 10)[:37]] * 3
    assert await talk(proxy) == PIECE * 10


async def test_nobody_listens_while_it_refuses(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(PIECE)
    await reader.readexactly(100)

    await proxy.refuse()

    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    with pytest.raises(ConnectionRefusedError):
        await talk(proxy)
    await proxy.welcome()
    assert await talk(proxy) == PIECE * 10
    writer.close()


async def test_connections_are_reset_while_it_resets(proxy: FaultProxy) -> None:
    proxy.reset()

    with pytest.raises(ConnectionError):
        await talk(proxy)

    proxy.heal()
    assert await talk(proxy) == PIECE * 10


async def test_silence_holds_everything_back_and_loses_nothing(proxy: FaultProxy, received: list[bytes]) -> None:
    proxy.silence()
    talking = asyncio.create_task(talk(proxy))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(talking), 0.2)

    proxy.heal()

    assert await talking == PIECE * 10
    assert received == [PIECE]


async def test_slowness_is_felt_in_both_directions(proxy: FaultProxy) -> None:
    proxy.slow(0.15)
    started = asyncio.get_running_loop().time()

    await talk(proxy)

    assert asyncio.get_running_loop().time() - started >= 0.3
