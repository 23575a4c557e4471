"""A keep-alive HTTP/1.1 client, cheap enough not to be what is measured, that also reads bodies of unknown length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def exchanged(
    port: int, make_request: Callable[[int], bytes], *, connections: int, total: int, expected: bytes = b"2"
) -> list[bytes]:
    """Send `total` requests over `connections`; the bodies, in order. Raises `AssertionError` on any other status."""
    numbers = iter(range(total))
    bodies: list[bytes] = [b""] * total

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in numbers:
                writer.write(make_request(number))
                bodies[number] = await answered(reader, expected)
        finally:
            writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return bodies


async def answered(reader: asyncio.StreamReader, expected: bytes) -> bytes:
    """The body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length: " in head:
        body = await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    else:
        body = b"".join([chunk async for chunk in _chunks(reader)])
    if not head.startswith(b"http/1.1 " + expected):
        raise AssertionError((head + body).decode("latin-1"))
    return body


async def _chunks(reader: asyncio.StreamReader):  # type: ignore[no-untyped-def]
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


def form(path: str, headers: dict[str, str], photo: bytes) -> bytes:
    """An upload, as a browser's form sends it."""
    boundary = "statuette-simulation"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="statement"\r\n\r\ntrue\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    body += photo + f"\r\n--{boundary}--\r\n".encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: multipart/form-data; boundary={boundary}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
