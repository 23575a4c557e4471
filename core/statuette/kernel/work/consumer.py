"""How a worker gets messages out of Redis: it waits for a bell, which costs nothing, instead of looking again and again.

Every message that is enqueued rings once, and Redis hands a bell to one of those who wait. One that nobody heard costs a moment:
whoever waits also looks every now and then.

What becomes of a message is told once, whether Redis takes note or not. A hint that comes again is a claim in vain, while a thread
that insisted, as the base class's do, would neither work nor stop until Redis is back.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import _RedisConsumer
from dramatiq.errors import ConnectionClosed

LOOK_AGAIN_SECONDS = 1.0
_told_once = contextlib.suppress(redis.RedisError, ConnectionClosed)


class WaitingConsumer(_RedisConsumer):
    """Waits for what it needs, a message or room for one, where the base class sleeps and looks again."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._room = threading.Event()

    def __next__(self) -> dramatiq.MessageProxy | None:
        try:
            if not self.message_cache and not self._fetched():
                return None
        except redis.RedisError as error:
            raise ConnectionClosed(error) from None
        message: dramatiq.MessageProxy = super().__next__()
        return message

    def ack(self, message: dramatiq.MessageProxy) -> None:
        with _told_once:
            super().ack(message)
        self._room.set()

    def nack(self, message: dramatiq.MessageProxy) -> None:
        with _told_once:
            super().nack(message)
        self._room.set()

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        with _told_once:
            super().requeue(messages)

    def _fetched(self) -> bool:
        self._room.clear()
        free = self.prefetch - self.outstanding_message_count
        if free <= 0:
            self._room.wait(LOOK_AGAIN_SECONDS)
            return False
        self.message_cache = self.broker.do_fetch(self.queue_name, free)
        if not self.message_cache:
            self.broker.wait_for_bell(self.queue_name, LOOK_AGAIN_SECONDS)
        return bool(self.message_cache)
