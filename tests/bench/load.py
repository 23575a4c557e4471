"""A load of keep-alive HTTP/1.1 connections, cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def requests_per_second(
    port: int, make_request: Callable[[int], bytes], *, connections: int, total: int, expected: bytes
) -> float:
    """Send `total` requests over `connections`, one at a time on each; returns the rate. Raises on any other status."""
    numbers = iter(range(total))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in numbers:
                writer.write(make_request(number))
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 " + expected):
                    raise AssertionError(head.decode("latin-1") + (await reader.read(2000)).decode("latin-1"))
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
        finally:
            writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return total / (time.perf_counter() - began)


def get(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
