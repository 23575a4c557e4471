"""What processes tell each other in passing. A signal carries the id of what it is about, and may be lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol

Listener = Callable[[str], Awaitable[None]]

CHANGED = "changed"
"""Something happened to a job: those who watch it look again."""
ENDED = "ended"
"""A job has ended: nobody needs to wait for its call."""


class Channel(Protocol):
    """The way to other processes."""

    @property
    def hears(self) -> bool:
        """Whether signals of other processes arrive at present."""

    def publish(self, kind: str, subject: str) -> None:
        """Send soon; never waits, never raises."""


class Signals:
    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)
        self._channel: Channel | None = None
        self._on_doubt: list[Callable[[], None]] = []

    @property
    def hears(self) -> bool:
        """Whether all there is to hear is heard. If not, whoever waits has to look by itself, and often."""
        return self._channel is None or self._channel.hears

    def on_doubt(self, callback: Callable[[], None]) -> None:
        """Have something done whenever signals may have been missed."""
        self._on_doubt.append(callback)

    def doubt(self) -> None:
        """Signals may have been missed: the channel was lost, or has just been found again."""
        for callback in self._on_doubt:
            callback()

    def connect(self, channel: Channel) -> None:
        """Say how other processes are reached. Without it, there are none."""
        self._channel = channel

    def listen(self, kind: str, listener: Listener) -> None:
        self._listeners[kind].append(listener)

    async def send(self, kind: str, subject: str) -> None:
        """Tell listeners here at once, and those of other processes soon."""
        await self.deliver(kind, subject)
        if self._channel is not None:
            self._channel.publish(kind, subject)

    async def deliver(self, kind: str, subject: str) -> None:
        """Tell listeners here."""
        for listener in self._listeners.get(kind, ()):
            await listener(subject)
