"""The keys port: one data key a subject, kept apart from the database and its backups, so that destroying one means something."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from statuette.errors import ConfigurationError, StatuetteError

REWRAP_PARTS = 256
"""Of so many parts, bounded ones, a rotation consists: so that it can tell how far it is, and others get their turn."""


class KeyDestroyed(StatuetteError):
    """The subject's key is gone, or never was: what it encrypted cannot be read again. Final."""

    code = "key_destroyed"
    summary = "The data key is gone; what it encrypted cannot be read."


class KeyStoreUnavailable(StatuetteError):
    code = "key_store_unavailable"
    retryable = True
    summary = "The key store is not available."


class KeyStore(ABC):
    """Envelope encryption (NIST SP 800-57): data keys of 32 bytes, wrapped by a master key the database never sees.

    Subjects are ids such as `acc_…`. Every method may raise `KeyStoreUnavailable`.
    """

    name: str
    off_host: bool = False
    """The store is another machine's, so that it outlives this one; or the operator attests that it is."""

    async def check(self) -> None:
        """Try the store out. Called when a process starts, before any key is made; leaves nothing behind.

        Raises:
            ConfigurationError: only the operator can change what is wrong; with the cure.
            KeyStoreUnavailable: the store fails; retryable.
        """

    @abstractmethod
    async def create(self, subject: str) -> bytes:
        """Make and durably store a data key for `subject`; returns its 32 bytes. Idempotent: an existing key is returned.

        Called before the first encrypted byte of a subject is written.

        Raises:
            KeyDestroyed: the subject once had a key that was destroyed; a new one is never made. Final.
        """

    @abstractmethod
    async def use(self, subject: str) -> bytes:
        """The data key, 32 bytes. The caller keeps it in memory for seconds at most.

        Raises:
            KeyDestroyed: final.
        """

    @abstractmethod
    async def destroy(self, subject: str) -> None:
        """Make the key unrecoverable from this store and remember that it was destroyed. Idempotent; unknown is fine."""

    @abstractmethod
    async def rewrap_all(self) -> int:
        """Wrap every key with the newest master key; returns how many changed. Idempotent, resumable, safe while serving."""

    async def rewrap_part(self, part: int) -> int:
        """As `rewrap_all`, for the keys of one of `REWRAP_PARTS` parts, numbered from 0; all parts together are all keys."""
        return await self.rewrap_all() if part == 0 else 0

    async def add_master_key(self) -> str:
        """Make a newer master key, durable before the return, which wraps from now on; returns its id. Older ones still open.

        Raises:
            ConfigurationError: the master keys of this store are the operator's to add; the cure says how.
        """
        raise ConfigurationError(
            f"The master keys of {self.name} are not made by the platform.",
            cure="Add one where the others are, on every machine, then run `statuette keys rewrap`.",
        )

    async def back_up(self, folder: Path) -> int:
        """Copy every record, tombstones included, to `folder`, which is empty; returns how many. Master keys stay where they are.

        Raises:
            ConfigurationError: this store is backed up by other means; the cure says which.
        """
        raise ConfigurationError(
            f"{self.name} is not backed up by the platform.", cure="Use the means of the service that holds it."
        )

    async def put_back(self, folder: Path) -> int:
        """Add the records that `back_up` copied and the store lacks; returns how many. What was destroyed here stays destroyed,
        and what was destroyed there is destroyed.

        Raises:
            ConfigurationError: as `back_up`.
        """
        raise ConfigurationError(
            f"{self.name} is not restored by the platform.", cure="Use the means of the service that holds it."
        )

    async def aclose(self) -> None:
        """Release resources. Called once, at shutdown; idempotent."""
