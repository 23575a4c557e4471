"""Dramatiq brokers, one a queue: in memory for one process, on Redis for many."""

from __future__ import annotations

import contextlib
from typing import Any

import dramatiq
import redis
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware.asyncio import AsyncIO

from statuette.kernel.work.consumer import WaitingConsumer

_KEPT_SECONDS = 3600
_CONNECTIONS = 16
_MOST_BELLS = 64

# The broker's own script; then a bell for what was added, which wakes one of the workers that wait; and at last a limit to the life
# of every key that may have been touched: a queue that nobody serves any more, or a worker that never comes back, leaves nothing
# behind. Work is in the outbox, so what expires here is not lost.
_DISPATCH = """
local function dispatch()
{script}
end
local answer = dispatch()
local queue = KEYS[1] .. ":" .. ARGV[3]
local acks = KEYS[1] .. ":__acks__." .. ARGV[4] .. "." .. ARGV[3]
local bell = queue .. ".bell"
if ARGV[1] == "enqueue" or ARGV[1] == "requeue" then
    redis.call("rpush", bell, 1)
    redis.call("ltrim", bell, 0, {bells} - 1)
end
for _, key in ipairs({{bell, queue, queue .. ".msgs", queue .. ".XQ", queue .. ".XQ.msgs", acks, KEYS[1] .. ":__heartbeats__"}}) do
    redis.call("expire", key, {seconds})
end
return answer
"""


class OnServerLoop(AsyncIO):
    """Coroutines run on the loop that the process runs already: no thread of the middleware's own."""

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        assert get_event_loop_thread() is not None, "the process names its loop before its workers start"

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None: ...


class ExpiringRedisBroker(RedisBroker):
    """Redis without delayed messages, which nobody sends, without a key that lasts for ever, and without polling."""

    consumer_class = WaitingConsumer

    def __init__(self, url: str, namespace: str) -> None:
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=5,
            socket_timeout=5,
            socket_connect_timeout=2,
            health_check_interval=15,
        )
        super().__init__(  # type: ignore[no-untyped-call]
            client=redis.Redis.from_pool(pool),  # closed with it
            namespace=f"{namespace}:work",
            middleware=[OnServerLoop()],
            # A worker that is gone for 5 s gives its messages back at the next command of any other; the defaults take minutes.
            heartbeat_timeout=5_000,
            maintenance_chance=1_000_000,
            dead_message_ttl=_KEPT_SECONDS * 1000,
        )
        dispatch: Any = self.scripts["dispatch"].script
        script = _DISPATCH.format(script=dispatch.decode(), seconds=_KEPT_SECONDS, bells=_MOST_BELLS)
        self.scripts["dispatch"] = self.client.register_script(script)

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def wait_for_bell(self, queue_name: str, seconds: float) -> None:
        """Until a message has been enqueued since the last that somebody woke for, `wake` is called, or time is up."""
        self.client.blpop([f"{self.namespace}:{queue_name}.bell", self._own_bell], timeout=seconds)

    def wake(self) -> None:
        """End this broker's wait for a bell: it is about to stop. Never raises; then the wait ends by itself."""
        with contextlib.suppress(redis.RedisError), self.client.pipeline() as together:
            together.rpush(self._own_bell, 1)
            together.expire(self._own_bell, _KEPT_SECONDS)
            together.execute()

    @property
    def _own_bell(self) -> str:
        return f"{self.namespace}:__bells__.{self.broker_id}"

    def waiting(self, queue_name: str) -> int:
        """Messages that no worker has fetched. Raises `redis.RedisError`."""
        return int(self.client.llen(f"{self.namespace}:{queue_name}"))

    def close(self) -> None:
        self.client.close()


def memory_broker() -> dramatiq.Broker:
    """What is durable is the outbox, so nothing here needs to be."""
    return StubBroker(middleware=[OnServerLoop()])


def hint(queue: str, item_id: str) -> dramatiq.Message[Any]:
    """The message that says: this item is due."""
    return dramatiq.Message(queue_name=queue, actor_name=actor_name(queue), args=(item_id,), kwargs={}, options={})


def actor_name(queue: str) -> str:
    return f"work.{queue}"
