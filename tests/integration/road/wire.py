"""Requests that no well-behaved client sends, byte by byte; and pictures that no camera takes."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import zipfile
import zlib
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from statuette.testing.pictures import photo_jpeg
from tests.site import Site, Visitor

BOUNDARY = "b0undary"


def form(photo: bytes, statement: str = "true") -> bytes:
    """An upload's body, with `BOUNDARY`."""
    return (
        (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="statement"\r\n\r\n{statement}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="p.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode()
        + photo
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )


class RawConnection:
    """A TCP connection to a site that says exactly what it is told to say."""

    def __init__(self, site: Site, visitor: Visitor) -> None:
        self._site = site
        self._visitor = visitor

    async def __aenter__(self) -> RawConnection:
        address = urlsplit(self._site.url)
        self._reader, self._writer = await asyncio.open_connection(address.hostname, address.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def ask(self, method: str, path: str, *, body: bytes = b"", **headers: str) -> None:
        """Send a request's head and the part of the body that is given. Underscores in header names become hyphens."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        if authorization := self._visitor.http.headers.get("Authorization"):
            lines.append(f"Authorization: {authorization}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.say("\r\n".join([*lines, "", ""]).encode() + body)

    def reset(self) -> None:
        """Drop the connection without a farewell."""
        self._writer.transport.abort()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with lower-case names, body."""
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 10)).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await asyncio.wait_for(self._reader.readexactly(int(headers.get("content-length", "0"))), 10)
        return int(first.split()[1]), headers, body

    async def closed(self) -> bool:
        """Whether the other side hangs up."""
        try:
            return await asyncio.wait_for(self._reader.read(), 10) == b""
        except ConnectionResetError:
            return True


def problem(body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body)
    return document


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header tells of more pixels than there are."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(4096))) + chunk(b"IEND", b"")
    )


def zip_file() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("canary.sh", "#!/bin/sh\necho canary\n")
    return buffer.getvalue()


def odd_but_good() -> dict[str, bytes]:
    """Pictures that are strange and yet pictures."""
    plain = Image.new("RGB", (64, 48), (200, 40, 40))
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    huge_exif = (
        b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01" + b"canary" * 200_000
    )
    return {
        "polyglot": photo_jpeg() + b"<script>alert('canary')</script>" + zip_file(),
        "commented": encoded(plain, "JPEG", comment=b"<html><script>canary</script>"),
        "animated_gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "animated_webp": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "cmyk": encoded(Image.new("CMYK", (64, 48), (10, 200, 30, 5)), "JPEG"),
        "sixteen_bit": encoded(Image.new("I;16", (64, 48), 40_000), "PNG"),
        "huge_exif": encoded(plain, "PNG", exif=huge_exif),
    }


def refused() -> dict[str, tuple[bytes, int, str]]:
    """Uploads that are no pictures one can use: bytes, status, code."""
    jpeg = photo_jpeg()
    return {
        "empty": (b"", 422, "image_empty"),
        "truncated": (jpeg[: len(jpeg) // 2], 422, "image_truncated"),
        "bomb": (png_claiming(30_000, 30_000), 422, "image_too_many_pixels"),
        "largest_bomb": (png_claiming(2**31 - 1, 2**31 - 1), 422, "image_too_many_pixels"),
        "no_pixels": (png_claiming(0, 0), 422, "image_truncated"),
        "one_pixel": (encoded(Image.new("RGB", (1, 1)), "PNG"), 422, "image_too_small"),
        "svg": (
            b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
            415,
            "unsupported_image_format",
        ),
        "text": (b"hello" * 100, 415, "unsupported_image_format"),
        "zip": (zip_file(), 415, "unsupported_image_format"),
        "pdf": (b"%PDF-1.7\n" + jpeg, 415, "unsupported_image_format"),
    }
