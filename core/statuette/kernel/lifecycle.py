"""Leaving in order: those who are served learn that this process is about to stop while it still answers."""

from __future__ import annotations

from collections.abc import Callable


class Lifecycle:
    def __init__(self) -> None:
        self.draining = False
        self._on_drain: list[Callable[[], None]] = []

    def on_drain(self, callback: Callable[[], None]) -> None:
        self._on_drain.append(callback)

    def drain(self) -> None:
        """Ask watchers to come back elsewhere, and load balancers to send nobody new. Idempotent."""
        if self.draining:
            return
        self.draining = True
        for callback in self._on_drain:
            callback()
