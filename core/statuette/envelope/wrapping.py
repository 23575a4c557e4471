"""A data key at rest: wrapped with AES-256-GCM (NIST SP 800-38D), tied to its subject and its master key."""

from __future__ import annotations

import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from statuette.envelope.master_keys import MasterKeys

_NONCE_BYTES = 12
_FORMAT = 1


class WrappedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a key store keeps of a data key, as JSON.

    Attributes:
        format: of this record; 1.
        master: id of the master key that wraps it.
        nonce, sealed: for AES-GCM; `sealed` ends in the tag.
    """

    format: int
    master: str
    nonce: bytes
    sealed: bytes


class UnreadableRecordError(Exception):
    """The record is damaged, tampered with, or of another subject or master key. Says which, holds no secret."""


def wrap(data_key: bytes, subject_hash: str, masters: MasterKeys, *, store: str) -> bytes:
    """The record of `data_key` under the newest master key.

    Args:
        subject_hash: the name of the record in its store; it opens under no other.
        store: a constant of the key store; its records open in no other.
    """
    master = masters.newest
    secret = masters.get(master)
    assert secret is not None
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(secret).encrypt(nonce, data_key, _bound_to(store, subject_hash, master))
    return msgspec.json.encode(WrappedKey(_FORMAT, master, nonce, sealed)) + b"\n"


def unwrap(record: bytes, subject_hash: str, masters: MasterKeys, *, store: str) -> bytes:
    """The data key.

    Raises:
        UnreadableRecordError: see there.
    """
    wrapped = read_record(record)
    secret = masters.get(wrapped.master)
    if secret is None:
        raise UnreadableRecordError(f"it needs the master key {wrapped.master!r}, which the file of master keys lacks")
    try:
        return AESGCM(secret).decrypt(wrapped.nonce, wrapped.sealed, _bound_to(store, subject_hash, wrapped.master))
    except (InvalidTag, ValueError):
        raise UnreadableRecordError("it is damaged, or was changed or moved by somebody else") from None


def read_record(record: bytes) -> WrappedKey:
    """The record's parts, not yet proven genuine."""
    try:
        wrapped = msgspec.json.decode(record, type=WrappedKey)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnreadableRecordError("it is not a key record") from None
    if wrapped.format != _FORMAT:
        raise UnreadableRecordError(f"it has the format {wrapped.format}; this version reads {_FORMAT}")
    return wrapped


def _bound_to(store: str, subject_hash: str, master: str) -> bytes:
    # A record copied over another subject's, or relabelled with another master key, must not open.
    return f"{store}\0{_FORMAT}\0{master}\0{subject_hash}".encode()
