"""Signed heads: what an operator says the log is at a moment, so that nobody can later say otherwise.

A head is a size and the root over as many entries, signed with Ed25519 (RFC 8032). Keys are known by the SHA-256 of
their 32 bytes; a log by that of its first key, which it keeps when keys change.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from statuette.errors import InvalidInput
from statuette.evidence.encoding import canonical, is_bytes, is_count, is_digest, is_moment, parsed, require
from statuette.evidence.merkle import HASH_BYTES

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
# Nothing else that the key may sign begins like this.
_DOMAIN = b"statuette evidence head v1\n"


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log at a moment.

    Attributes:
        log: id of the log: `sha256:<hex>` of its first public key.
        key: id of the key that signs: `sha256:<hex>` of the public key.
        size: entries so far.
        root: over all of them, 32 bytes.
        at: the moment of signing, in UTC, by the clock of who signs.

    Raises:
        InvalidInput: a value has another form.
    """

    version: Literal[1] = 1
    log: str
    key: str
    size: int
    root: bytes
    at: datetime

    def __post_init__(self) -> None:
        require(is_digest(self.log) and is_digest(self.key), "A log and a key are known by `sha256:<hex>`.")
        require(is_count(self.size), "The size of a log is a whole number from 0.")
        require(is_bytes(self.root, HASH_BYTES), f"A root has {HASH_BYTES} bytes.")
        require(is_moment(self.at), "The moment of a head is in UTC.")


class SignedHead(Head, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A head and the signature over it, 64 bytes."""

    signature: bytes

    def __post_init__(self) -> None:
        super().__post_init__()
        require(is_bytes(self.signature, SIGNATURE_BYTES), f"A signature has {SIGNATURE_BYTES} bytes.")


class PublicKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that heads may be signed with.

    Attributes:
        public_key: its 32 bytes.
        since: heads of before are not accepted with it; None: there is no such bound.
        until: heads of this moment and later are not; None: it is still used.

    Raises:
        InvalidInput: a value has another form.
    """

    public_key: bytes
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        require(is_bytes(self.public_key, PUBLIC_KEY_BYTES), f"A public key has {PUBLIC_KEY_BYTES} bytes.")
        bounds = [moment for moment in (self.since, self.until) if moment is not None]
        require(all(is_moment(moment) for moment in bounds), "The bounds of a key are in UTC.")

    def covers(self, moment: datetime) -> bool:
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


class Trust(StrEnum):
    """What a set of keys says to the key of a head."""

    trusted = "trusted"
    other_log = "other_log"
    unknown = "unknown"
    not_then = "not_then"
    """The key is in the set, and the head's moment is outside of the time it is valid for."""


class PublicKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of one log over time.

    Attributes:
        keys: at least one.
        log: id of the log; None: whatever these keys sign.

    Raises:
        InvalidInput: a value has another form.
    """

    keys: tuple[PublicKey, ...]
    log: str | None = None

    def __post_init__(self) -> None:
        require(bool(self.keys), "A set of keys holds at least one.")
        require(self.log is None or is_digest(self.log), "A log is known by `sha256:<hex>`.")

    def trust(self, head: Head) -> Trust:
        """Whether the key that the head names may have signed it, then and for this log. Looks at no signature."""
        if self.log is not None and self.log != head.log:
            return Trust.other_log
        named = [key for key in self.keys if key_id(key.public_key) == head.key]
        if not named:
            return Trust.unknown
        return Trust.trusted if any(key.covers(head.at) for key in named) else Trust.not_then

    def public_key_of(self, head: Head) -> bytes | None:
        """The key that the head names, if it is here."""
        return next((key.public_key for key in self.keys if key_id(key.public_key) == head.key), None)


def key_id(public_key: bytes) -> str:
    """What a key is known by. That of a log's first key is the log's id too."""
    return f"sha256:{sha256(public_key).hexdigest()}"


def sign_head(private_key: Ed25519PrivateKey, *, log: str, size: int, root: bytes, at: datetime) -> SignedHead:
    """Sign what the log is now.

    Raises:
        InvalidInput: a value has another form.
    """
    public_key = private_key.public_key().public_bytes_raw()
    head = Head(log=log, key=key_id(public_key), size=size, root=root, at=at)
    return SignedHead(**msgspec.structs.asdict(head), signature=private_key.sign(signed_bytes(head)))


def verify_head(head: SignedHead, public_key: bytes) -> bool:
    """Whether the head names this key, and was signed with it."""
    if key_id(public_key) != head.key:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(head.signature, signed_bytes(head))
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_bytes(head: Head) -> bytes:
    """What is signed: a line that tells what it is, then the canonical encoding of the head without a signature."""
    bare = Head(**{name: getattr(head, name) for name in Head.__struct_fields__})
    return _DOMAIN + canonical(bare)


def read_head(data: bytes) -> SignedHead:
    """A signed head out of its JSON, not yet verified.

    Raises:
        InvalidInput: it is none.
    """
    return parsed(data, SignedHead)


def read_public_keys(data: bytes) -> PublicKeys:
    """A set of keys out of its JSON, or the one Ed25519 key of a PEM file, for any log and moment.

    Raises:
        InvalidInput: it is neither.
    """
    if b"-----BEGIN PUBLIC KEY-----" not in data:
        return parsed(data, PublicKeys)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("The PEM file holds no public key that can be read.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput("The PEM file holds a key of another kind; heads are signed with Ed25519.")
    return PublicKeys(keys=(PublicKey(public_key=key.public_bytes_raw()),))
