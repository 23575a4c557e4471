"""Where segments are: `journal/2026-11-29/07/jst_01jd…-00000012.json`, by hour, so that a look at the last ones stays short.

Each process writes a stream of its own, numbered without a gap, so that any number append without knowing of each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

MEDIA_TYPE = "application/json"
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# So many hours are looked into one by one; beyond, days as a whole take fewer questions.
_HOURS_AT_MOST = 48


class Place(msgspec.Struct, frozen=True):
    """One segment. `stream` and `number` name it; it was written in the hour of `key`."""

    key: str
    hour: str
    stream: str
    number: int


def key_of(prefix: str, at: datetime, stream: str, number: int) -> str:
    return f"{prefix}{at:%Y-%m-%d/%H}/{stream}-{number:08d}.json"


def place_of(prefix: str, key: str) -> Place | None:
    """None for an object that is no segment."""
    day, slash, rest = key.removeprefix(prefix).partition("/")
    hour, second_slash, name = rest.partition("/")
    stream, dash, number = name.removesuffix(".json").partition("-")
    if not (slash and second_slash and dash and number.isdigit() and name.endswith(".json")):
        return None
    return Place(key, f"{day}/{hour}", stream, int(number))


def prefixes_since(prefix: str, since: datetime | None, now: datetime) -> Iterator[str]:
    """Prefixes that hold every segment written from `since` on, oldest first; with None, all of them."""
    if since is None:
        yield prefix
        return
    at = since.replace(minute=0, second=0, microsecond=0)
    end = now + _HOUR  # another process's clock may be a little ahead
    if end - at <= _HOURS_AT_MOST * _HOUR:
        while at <= end:
            yield f"{prefix}{at:%Y-%m-%d/%H}/"
            at += _HOUR
        return
    at = at.replace(hour=0)
    while at <= end:
        yield f"{prefix}{at:%Y-%m-%d}/"
        at += _DAY
