"""What is looked for, and every form in which it may have been written."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import quote_from_bytes

import msgspec


class Kind(StrEnum):
    words = "words"
    """What the person said, typed or brought along."""
    bytes = "bytes"
    """A part of a photo or a picture, as it was sent or stored."""
    id = "id"
    """The id of a record of theirs."""
    hash = "hash"
    """What the platform makes of the address, with a key, to find it again."""
    control = "control"
    """Put there by the drill itself, to show that it is found there."""


class Needle(msgspec.Struct, frozen=True):
    """Attributes:
    name: what it is, for the report; never its value.
    sealed: it is kept encrypted only.
    """

    name: str
    kind: Kind
    value: bytes
    sealed: bool = False

    def __repr__(self) -> str:
        return f"Needle({self.name})"


def forms(value: bytes) -> dict[str, tuple[bytes, ...]]:
    """Every form that is searched for, by its name. What is compressed is opened by the search itself."""
    found = {
        "plain": (value,),
        "hexadecimal": tuple(dict.fromkeys((value.hex().encode(), value.hex().upper().encode()))),
        "base64": _base64(value),
    }
    if value.isascii():
        # Both orders of the bytes have these in common.
        found["UTF-16"] = (value.decode().encode("utf-16-le")[:-1],)
        found["percent-encoded"] = tuple(
            dict.fromkeys(
                (
                    *("".join(f"%{byte:{case}}" for byte in value).encode() for case in ("02x", "02X")),
                    *(form for form in (quote_from_bytes(value, safe="").encode(),) if form != value),
                )
            )
        )
    return found


def _base64(value: bytes) -> tuple[bytes, ...]:
    """What is the same wherever in an encoded text the value begins: at each of three places in a group of three bytes."""
    found = []
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            padded = b"\0" * before + value
            whole = encode(padded)
            first = -(-before * 8 // 6)
            last = len(padded) * 8 // 6
            found.append(whole[first:last])
    return tuple(dict.fromkeys(found))


class Flock(msgspec.Struct, frozen=True):
    """Needles that have a part in common, so that one look for that part tells whether any of them can be there."""

    common: bytes | None
    needles: tuple[Needle, ...]


def flocks(stem: str, needles: Iterable[Needle]) -> tuple[Flock, ...]:
    """The needles that begin with the stem together, every other by itself."""
    own = tuple(needle for needle in needles if needle.value.startswith(stem.encode()))
    others = tuple(needle for needle in needles if needle not in own)
    return (Flock(stem.encode(), own), *(Flock(None, (needle,)) for needle in others))
