"""Rate limits in this process: token buckets, bounded in number."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from statuette.errors import RateLimited
from statuette.values import Clock

_MOST_BUCKETS = 50_000


class TooManyRequests(RateLimited):
    code = "too_many_requests"
    summary = "Too many requests."


class Verdict(msgspec.Struct, frozen=True):
    """Where a caller stands, for `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers)."""

    limit: int
    window_seconds: int
    remaining: int
    reset_seconds: int

    def headers(self, policy: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"ratelimit-policy", f'"{policy}";q={self.limit};w={self.window_seconds}'.encode()),
            (b"ratelimit", f'"{policy}";r={self.remaining};t={self.reset_seconds}'.encode()),
        ]


class Buckets:
    """Token buckets by key. The least recently used key is forgotten first, which only ever favours a quiet caller."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, *, limit: int, window_seconds: int) -> Verdict:
        """Use one token of `limit` per `window_seconds`. Raises `TooManyRequests` with `retry_after_seconds`."""
        now = self._clock.monotonic_seconds()
        level, at = self._levels.pop(key, (float(limit), now))
        rate = limit / window_seconds
        level = min(float(limit), level + (now - at) * rate)
        if level < 1:
            self._levels[key] = (level, now)
            raise TooManyRequests(retry_after_seconds=(1 - level) / rate, limit=limit, window_seconds=window_seconds)
        level -= 1
        self._levels[key] = (level, now)
        if len(self._levels) > _MOST_BUCKETS:
            self._levels.popitem(last=False)
        return Verdict(limit, window_seconds, int(level), round((limit - level) / rate))
