"""Rate limits that several processes keep together.

Every request is decided by the buckets of its own process, at no cost. A few times a second each process tells Redis what it
took and learns what all have left, so that a caller who spreads requests over processes gains no more than that moment. While
Redis is away each process keeps the limits by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging

import redis.asyncio as redis

from statuette.kernel.http.limits import Buckets
from statuette.kernel.tasks import ended

_AGREE_EVERY_SECONDS = 0.3
_log = logging.getLogger(__name__)

# A bucket is its level and when that was true, by Redis's own clock. It expires when it would be full again. A level below
# zero is what was overdrawn before anybody knew; one window pays for it.
_TAKE = """
local time = redis.call("time")
local now = time[1] + time[2] / 1000000
local limit, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call("hmget", KEYS[1], "level", "at")
local level = tonumber(kept[1] or limit)
local at = tonumber(kept[2] or now)
level = math.min(limit, level + (now - at) * limit / window)
level = math.max(-limit, level - tonumber(ARGV[1]))
redis.call("hset", KEYS[1], "level", tostring(level), "at", tostring(now))
redis.call("expire", KEYS[1], window * 2)
return tostring(level)
"""


class SharedLimits:
    def __init__(self, client: redis.Redis, namespace: str, buckets: Buckets, secret: bytes) -> None:
        self._client = client
        self._prefix = f"{namespace}:limits:"
        self._buckets = buckets
        self._secret = secret
        self._take = client.register_script(_TAKE)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._buckets.share()
        self._task = asyncio.create_task(self._forever(), name="shared_limits")

    async def stop(self) -> None:
        await ended(self._task)

    async def agree(self) -> None:
        """Tell what was taken here, and learn what is left. Raises `redis.RedisError`."""
        spent = self._buckets.spent()
        if not spent:
            return
        async with self._client.pipeline(transaction=False) as pipeline:
            for key, (tokens, limit, window_seconds) in spent.items():
                await self._take(keys=[self._name(key)], args=[tokens, limit, window_seconds], client=pipeline)
            levels = await pipeline.execute()
        for key, level in zip(spent, levels, strict=True):
            self._buckets.agree(key, float(level))

    def _name(self, key: str) -> str:
        # Keys name people by their address or id: Redis gets to see neither.
        return self._prefix + hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()[:32]

    async def _forever(self) -> None:
        while True:
            await asyncio.sleep(_AGREE_EVERY_SECONDS)
            self._buckets.forget()
            try:
                await self.agree()
            except Exception as error:  # whatever it is, the next attempt may succeed
                _log.warning("limits_not_shared", extra={"facts": {"error": type(error).__name__}})
