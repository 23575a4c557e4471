"""The storage port: named objects, written once, deleted for certain."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from statuette.errors import StatuetteError
from statuette.ports.processor import Processor

_KEY = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?:/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)*")
MAX_KEY_LENGTH = 512
MAX_SEGMENT_LENGTH = 200  # file systems hold names of 255 bytes; a store may need a few for itself


class ObjectInfo(msgspec.Struct, frozen=True):
    """What `head` and `list` tell of an object.

    Attributes:
        etag: changes whenever the bytes change; opaque, without quotes.
        modified_at: aware, UTC.
    """

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


class StoreCapabilities(msgspec.Struct, frozen=True):
    """What a store can do, so that the kernel and the notice promise no more.

    Attributes:
        encrypted_at_rest: the store encrypts, or sits on an encrypted volume that the operator attests.
        versioned: deleting leaves earlier versions, which `purge_versions` removes.
        signed_urls: `signed_url` gives addresses that a browser can open.
        off_host: the store is another machine's, so that it outlives this one; or the operator attests that it is.
    """

    encrypted_at_rest: bool
    versioned: bool
    signed_urls: bool
    off_host: bool = False


class VersionKind(StrEnum):
    """What a store keeps under a key."""

    current = "current"
    earlier = "earlier"
    """It was replaced or deleted, and can still be read."""
    marker = "marker"
    """It hides what is earlier, and holds no bytes."""
    unfinished = "unfinished"
    """Parts of an upload that has not ended; they cannot be read."""


class StoredVersion(msgspec.Struct, frozen=True):
    """One of the things that a store keeps under a key.

    Attributes:
        version: opaque; what `read_version` takes.
        modified_at: aware, UTC.
    """

    key: str
    kind: VersionKind
    version: str
    modified_at: datetime

    @property
    def holds_bytes(self) -> bool:
        return self.kind in (VersionKind.current, VersionKind.earlier)


class InvalidKey(StatuetteError):
    """A key outside `[a-z0-9/._-]`, too long, with an empty or dotted segment. Final: a bug of the caller."""

    code = "invalid_object_key"
    summary = "The object key is not valid."


class ObjectNotFound(StatuetteError):
    code = "object_not_found"
    summary = "There is no such object."


class ObjectExists(StatuetteError):
    """`put(…, if_absent=True)` met an object. Final; the stored bytes are untouched."""

    code = "object_exists"
    summary = "The object exists already."


class StorageUnavailable(StatuetteError):
    """The store is down, full, slow or refuses us; nothing is known about the operation. Retryable."""

    code = "storage_unavailable"
    retryable = True
    summary = "The object store is not available."


def check_key(key: str) -> str:
    """Return `key` if it is one that every store can hold, else raise `InvalidKey`."""
    if len(key) > MAX_KEY_LENGTH or not _KEY.fullmatch(key) or max(map(len, key.split("/"))) > MAX_SEGMENT_LENGTH:
        raise InvalidKey()
    return key


def check_prefix(prefix: str) -> str:
    """Return `prefix` if it is a folder-like prefix ending in `/`, else raise `InvalidKey`."""
    if not prefix.endswith("/"):
        raise InvalidKey("A prefix ends in a slash.")
    check_key(prefix[:-1])
    return prefix


class Storage(ABC):
    """One bucket, folder or container. Called concurrently on one event loop.

    Every method raises `InvalidKey` for a bad key and `StorageUnavailable` when the store fails; other errors are named
    per method. A missing object is told the same way by every store.
    """

    name: str

    @property
    @abstractmethod
    def processor(self) -> Processor: ...

    @property
    @abstractmethod
    def capabilities(self) -> StoreCapabilities: ...

    async def check(self) -> None:
        """Try the store out. Called when a process starts, before anything is stored; may write, and leaves nothing behind.

        Raises:
            ConfigurationError: only the operator can change what is wrong; with the cure.
            StorageUnavailable: the store fails; retryable.
        """

    @abstractmethod
    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> ObjectInfo:
        """Store `data` atomically and durably: after the return it survives a power cut, before it nothing shows.

        Idempotent for the same bytes. The content type's home is the database; stores that serve addresses of their
        own also keep `media_type`.

        Raises:
            ObjectExists: with `if_absent` and an object in place; final.
        """

    @abstractmethod
    async def read(self, key: str) -> bytes:
        """All bytes of an object. Raises `ObjectNotFound`."""

    @abstractmethod
    def stream(self, key: str, *, chunk_bytes: int = 65_536) -> AsyncIterator[bytes]:
        """The bytes in chunks of at most `chunk_bytes`. Raises `ObjectNotFound` at the first step."""

    @abstractmethod
    async def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object; None when it is absent. Reads past every cache: enforcement relies on it."""

    @abstractmethod
    async def delete_many(self, keys: Sequence[str]) -> None:
        """Delete objects; one that is absent is fine. Idempotent. Earlier versions may stay: see `purge_versions`."""

    @abstractmethod
    async def purge_versions(self, prefix: str) -> int:
        """Remove every version, marker, part and temporary file below `prefix`; returns how many. Idempotent.

        Objects in place stay: erasing a prefix is `list`, `delete_many`, then this.
        """

    @abstractmethod
    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every object below `prefix` (which ends in `/`), in key order; versions and temporary files not included."""

    def history(self) -> AsyncIterator[StoredVersion] | None:
        """Everything that the store keeps for the platform, whatever its key, earlier versions, markers and unfinished uploads
        included; None for a store that keeps nothing but what `list` tells of, or cannot tell.

        Asked by the canary drill only. It says what the store says, and is not to share a line with `purge_versions`, which it
        is there to check.
        """
        return None

    async def read_version(self, found: StoredVersion) -> bytes | None:
        """The bytes of something that `history` told of; None when it has gone meanwhile."""
        try:
            return await self.read(found.key)
        except ObjectNotFound:
            return None

    @abstractmethod
    def signed_url(self, key: str, *, media_type: str, expires_at: datetime) -> str | None:
        """An address that lets anybody GET the object until `expires_at` (aware), or None: see `capabilities`. No I/O.

        GET, and HEAD where the store allows it; there are no signed uploads.
        """

    async def aclose(self) -> None:
        """Release clients. Called once, at shutdown; idempotent."""
