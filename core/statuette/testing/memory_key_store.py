"""A key store for tests: keys in memory, faults on demand."""

from __future__ import annotations

import os

from statuette.errors import StatuetteError
from statuette.ports.keys import KeyDestroyed, KeyStore


class MemoryKeyStore(KeyStore):
    """Keeps keys for as long as the object lives.

    Attributes:
        master_key_version: raise it to give `rewrap_all` something to do.
    """

    name = "memory"

    def __init__(self) -> None:
        self.master_key_version = 1
        self._keys: dict[str, tuple[bytes, int]] = {}
        self._destroyed: set[str] = set()
        self._faults: list[StatuetteError] = []

    def fail_next(self, *errors: StatuetteError) -> None:
        """Let the next calls fail, one error a call, before they have any effect."""
        self._faults.extend(errors)

    async def create(self, subject: str) -> bytes:
        self._fail_if_told()
        if subject in self._destroyed:
            raise KeyDestroyed()
        if subject not in self._keys:
            self._keys[subject] = (os.urandom(32), self.master_key_version)
        return self._keys[subject][0]

    async def use(self, subject: str) -> bytes:
        self._fail_if_told()
        if subject not in self._keys:
            raise KeyDestroyed()
        return self._keys[subject][0]

    async def destroy(self, subject: str) -> None:
        self._fail_if_told()
        self._keys.pop(subject, None)
        self._destroyed.add(subject)

    async def rewrap_all(self) -> int:
        self._fail_if_told()
        stale = [subject for subject, (_, version) in self._keys.items() if version != self.master_key_version]
        for subject in stale:
            self._keys[subject] = (self._keys[subject][0], self.master_key_version)
        return len(stale)

    def _fail_if_told(self) -> None:
        if self._faults:
            raise self._faults.pop(0)
