"""What parent and child say to each other: msgpack frames, each preceded by its length in four bytes, big-endian.

Msgpack, not pickle: the parent must be able to read what a child that has been taken over writes.
"""

from __future__ import annotations

import struct

import msgspec

from statuette.kernel.pixels.limits import PixelLimits

HEADER_BYTES = 4
MAX_REPLY_BYTES = 192 * 1024 * 1024
_OVERHEAD_BYTES = 65_536


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """The first frame a child gets.

    Attributes:
        cpu_seconds: computing time one picture may have.
    """

    parent_pid: int
    memory_bytes: int
    cpu_seconds: int
    limits: PixelLimits


class _Unprinted(msgspec.Struct, frozen=True):
    def __repr__(self) -> str:  # bytes of a picture never reach a log or a traceback
        return f"{type(self).__name__}(…)"


class Normalise(_Unprinted, frozen=True, tag="normalise"):
    data: bytes


class Render(_Unprinted, frozen=True, tag="render"):
    """Attribute `sizes`: longest edges in pixels."""

    data: bytes
    sizes: tuple[int, ...]
    provenance: str | None


class Encoded(_Unprinted, frozen=True):
    data: bytes
    width: int
    height: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The child is warm and confined."""


class Photo(msgspec.Struct, frozen=True, tag="photo"):
    picture: Encoded


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """The sizes stand in the order they were asked for."""

    original: Encoded
    sizes: tuple[Encoded, ...]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The picture is at fault.

    Attributes:
        spent: the child has run out of memory once and will exit; start another.
    """

    code: str
    spent: bool = False


Request = Setup | Normalise | Render
Reply = Ready | Photo | Picture | Refused

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def max_request_bytes(limits: PixelLimits) -> int:
    return limits.max_bytes + _OVERHEAD_BYTES


def frame(message: Request | Reply) -> bytearray:
    """Length and body, ready to be written."""
    buffer = bytearray(HEADER_BYTES)
    _encoder.encode_into(message, buffer, HEADER_BYTES)
    struct.pack_into(">I", buffer, 0, len(buffer) - HEADER_BYTES)
    return buffer


def body_length(header: bytes | bytearray) -> int:
    (length,) = struct.unpack(">I", header)
    return int(length)


def parse_request(body: bytes | bytearray) -> Request:
    return _requests.decode(body)


def parse_reply(body: bytes) -> Reply:
    """Raises `msgspec.DecodeError` (or its child `ValidationError`) for anything that is not a reply."""
    return _replies.decode(body)
