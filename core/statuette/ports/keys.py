"""The keys port: one data key a subject, kept apart from the database and its backups, so that destroying one means something."""

from __future__ import annotations

from abc import ABC, abstractmethod

from statuette.errors import StatuetteError


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

    async def aclose(self) -> None:
        """Release resources. Called once, at shutdown; idempotent."""
