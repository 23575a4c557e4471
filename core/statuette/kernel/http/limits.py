"""Rate limits: token buckets, bounded in number. They are decided in this process; several agree through `shared_limits`."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import msgspec

from statuette.errors import RateLimited
from statuette.policy import enforces
from statuette.values import Clock

_MOST_BUCKETS = 50_000
_FORGOTTEN_AFTER_SECONDS = 3600  # no window is longer


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


class Spent(NamedTuple):
    """Tokens taken from a bucket that fills with `limit` tokens in `window_seconds`."""

    tokens: int
    limit: int
    window_seconds: int


class Buckets:
    """Token buckets by key. The least recently used key is forgotten first, which only ever favours a quiet caller."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._spent: dict[str, Spent] | None = None

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
        self._keep(key, level, now)
        if self._spent is not None:
            self._account(self._spent, key, limit, window_seconds)
        return Verdict(limit, window_seconds, int(level), round((limit - level) / rate))

    def share(self) -> None:
        """Keep account of what is spent from now on, for `spent`."""
        self._spent = {}

    def spent(self) -> dict[str, Spent]:
        """What was spent by key since it was asked last."""
        spent, self._spent = self._spent or {}, {}
        return spent

    def agree(self, key: str, level: float) -> None:
        """The level that all processes together have left; what was spent here meanwhile is taken off."""
        meanwhile = self._spent.get(key) if self._spent is not None else None
        self._keep(key, level - (meanwhile.tokens if meanwhile else 0), self._clock.monotonic_seconds())

    @enforces("device.collect")
    def forget(self) -> int:
        """Drop what nobody has asked about for an hour; returns how many. Such a bucket is full, and may name an address."""
        until, dropped = self._clock.monotonic_seconds() - _FORGOTTEN_AFTER_SECONDS, 0
        while self._levels and next(iter(self._levels.values()))[1] <= until:
            self._levels.popitem(last=False)
            dropped += 1
        return dropped

    async def forgotten(self) -> int:
        """`forget`, as a duty."""
        return self.forget()

    def _keep(self, key: str, level: float, now: float) -> None:
        self._levels[key] = (level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > _MOST_BUCKETS:
            self._levels.popitem(last=False)

    def _account(self, spent: dict[str, Spent], key: str, limit: int, window_seconds: int) -> None:
        before = spent.get(key)
        # Nobody may ask for it in a long time, while Redis is away: further keys are then counted here alone.
        if before is not None or len(spent) < _MOST_BUCKETS:
            spent[key] = Spent(1 if before is None else before.tokens + 1, limit, window_seconds)
