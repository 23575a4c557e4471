"""Fields encrypted with their subject's data key, and keyed hashes that find what is encrypted.

A sealed field is one version byte, 12 bytes of nonce, then AES-256-GCM ciphertext with its 16-byte tag
(NIST SP 800-38D). Subject and field name are authenticated, so that a value moved to another row or column does not
open. Destroying the data key ends every copy of the field, backups included.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import unicodedata
from collections import OrderedDict
from datetime import timedelta

import idna
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from statuette.errors import StatuetteError
from statuette.ports.keys import KeyDestroyed, KeyStore
from statuette.values import Clock

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_LIFETIME = timedelta(seconds=5)
_KEYS_AT_MOST = 4096


class FieldUnreadable(StatuetteError):
    """A sealed field was altered, moved, or written by a newer version. Final."""

    code = "field_unreadable"
    summary = "An encrypted field cannot be read."


def looks_sealed(blob: bytes) -> bool:
    """Whether the bytes have the form of a sealed field. Only their key can tell whether they are one."""
    return len(blob) >= 1 + _NONCE_BYTES + _TAG_BYTES and blob[:1] == _VERSION


def canonical_address(value: str) -> str:
    """The one spelling of an e-mail address: trimmed, NFC, case-folded, its domain in ASCII (IDNA 2008 with UTS 46).

    Raises:
        ValueError: it has no `@`, or a domain that DNS cannot name.
    """
    local, at, domain = unicodedata.normalize("NFC", value.strip()).rpartition("@")
    if not at:
        raise ValueError("an address has an @")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise ValueError("the domain is not a name DNS knows") from None
    return f"{local.casefold()}@{domain.lower()}"


class FieldCipher:
    """Seals and opens fields.

    Args:
        index_key: 32 secret bytes for the keyed hashes; the same for ever, or nobody is found again.
    """

    def __init__(self, key_store: KeyStore, index_key: bytes, clock: Clock) -> None:
        if len(index_key) < 32:
            raise ValueError("the index key has at least 32 bytes")
        self._key_store = key_store
        self._index_key = index_key
        self._clock = clock
        self._ciphers: OrderedDict[str, tuple[AESGCM, float]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._forgotten = 0

    def __repr__(self) -> str:
        return f"FieldCipher({self._key_store.name})"

    @property
    def store(self) -> str:
        """The name of the store of keys."""
        return self._key_store.name

    async def prepare(self, subject: str) -> None:
        """Make the data key of a new subject. Before its first sealed field; idempotent.

        Raises:
            KeyDestroyed: final. KeyStoreUnavailable: retryable.
        """
        epoch = self._forgotten
        self._remember(subject, await self._key_store.create(subject), epoch)

    async def seal(self, subject: str, field: str, plaintext: str) -> bytes:
        """Encrypt. Raises what `KeyStore.use` raises."""
        cipher = self._cached(subject) or await self._fetched(subject)
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + cipher.encrypt(nonce, plaintext.encode(), _bound_to(subject, field))

    async def open(self, subject: str, field: str, blob: bytes) -> str:
        """Decrypt.

        Raises:
            FieldUnreadable: final. KeyDestroyed: the subject was erased; final. KeyStoreUnavailable: retryable.
        """
        cipher = self._cached(subject) or await self._fetched(subject)
        if not looks_sealed(blob):
            raise FieldUnreadable(field=field)
        try:
            nonce, sealed = blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
            return cipher.decrypt(nonce, sealed, _bound_to(subject, field)).decode()
        except InvalidTag:
            raise FieldUnreadable(field=field) from None

    async def destroy(self, subject: str) -> None:
        """Destroy the subject's data key for good. Idempotent."""
        await self._key_store.destroy(subject)
        self.forget(subject)

    async def destroyed(self, subject: str) -> bool:
        """Whether the store, asked anew, has no key of the subject any more. Raises `KeyStoreUnavailable`."""
        try:
            await self._key_store.use(subject)
        except KeyDestroyed:
            return True
        return False

    async def never_again(self, subject: str) -> bool:
        """Whether the store remembers that the subject's key was destroyed. False: it has one now, old or new.

        For a subject whose key was destroyed: False says that the store is older than that. Raises `KeyStoreUnavailable`.
        """
        try:
            await self._key_store.create(subject)
        except KeyDestroyed:
            return True
        return False

    def forget(self, subject: str) -> None:
        """Drop the key from memory now, and do not keep one that is being fetched."""
        self._forgotten += 1
        self._ciphers.pop(subject, None)

    def blind_index(self, brand_id: str, value: str) -> str:
        """What an e-mail address is found by within one brand. Useless without the index key, and across brands.

        Raises:
            ValueError: `value` is no address.
        """
        return self.keyed_hash("address", brand_id, canonical_address(value))

    def keyed_hash(self, use: str, *parts: str) -> str:
        """HMAC-SHA256 in hex over `parts`; different `use`s never give the same."""
        message = b"".join(_counted(part) for part in (use, *parts))
        return hmac.digest(self._index_key, message, hashlib.sha256).hex()

    def _cached(self, subject: str) -> AESGCM | None:
        known = self._ciphers.get(subject)
        return known[0] if known is not None and self._clock.monotonic_seconds() < known[1] else None

    async def _fetched(self, subject: str) -> AESGCM:
        epoch = self._forgotten
        return self._remember(subject, await self._key_store.use(subject), epoch)

    def _remember(self, subject: str, key: bytes, epoch: int) -> AESGCM:
        cipher = AESGCM(key)
        if epoch == self._forgotten:  # else the key may have been destroyed while it was on its way
            self._ciphers.pop(subject, None)
            self._ciphers[subject] = (cipher, self._clock.monotonic_seconds() + _KEY_LIFETIME.total_seconds())
            if len(self._ciphers) > _KEYS_AT_MOST:
                self._ciphers.popitem(last=False)
            self._arm_timer()
        return cipher

    def _arm_timer(self) -> None:
        # Without a timer a quiet process would hold on to its last keys for as long as it stays quiet.
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer.cancelled() or self._timer.when() <= loop.time():
            self._timer = loop.call_later(_KEY_LIFETIME.total_seconds(), self._drop_old)

    def _drop_old(self) -> None:
        self._timer = None
        now = self._clock.monotonic_seconds()
        while self._ciphers and next(iter(self._ciphers.values()))[1] <= now:
            self._ciphers.popitem(last=False)
        if self._ciphers:
            self._arm_timer()


def _bound_to(subject: str, field: str) -> bytes:
    return _VERSION + _counted(subject) + _counted(field)


def _counted(part: str) -> bytes:
    """Length, then bytes: `("ab", "c")` and `("a", "bc")` must not become the same."""
    encoded = part.encode()
    return len(encoded).to_bytes(4, "big") + encoded
