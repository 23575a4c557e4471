"""Verifying the evidence log offline: a million entries, with their heads, as `statuette evidence verify` does."""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from statuette.evidence import PublicKey, PublicKeys, SignedHead, TileId, grow, key_id, leaf_hash, sign_head, verify_log
from tests.bench.report import Figure, at_most, without_bar

_ENTRIES = 1_000_000
_HEADS = 100
_BYTES = 600  # about what a receipt takes


async def measure() -> list[Figure]:
    heads, keys = _log()
    began = time.process_time()
    audit = verify_log(_entries(), heads, keys)
    seconds = time.process_time() - began
    assert audit.holds and audit.entries == _ENTRIES, audit
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        at_most(
            "verifying a million entries of evidence",
            seconds,
            10,
            f"entries of {_BYTES} bytes made as they are read, {_HEADS} signed heads, seconds of CPU",
            "s",
        ),
        without_bar("memory after it", peak, "resident at most, the bench included", "MB"),
    ]


def _log() -> tuple[list[SignedHead], PublicKeys]:
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key().public_bytes_raw()
    log, leaves = key_id(public_key), map(leaf_hash, _entries())
    heads: list[SignedHead] = []
    size, tiles = 0, dict[TileId, bytes]()
    while size < _ENTRIES:
        growth = grow(size, tiles, islice(leaves, _ENTRIES // _HEADS))
        size, tiles = growth.size, {**tiles, **growth.tiles}
        heads.append(sign_head(private_key, log=log, size=size, root=growth.root, at=datetime.now(UTC)))
    return heads, PublicKeys(keys=(PublicKey(public_key=public_key),))


def _entries() -> Iterator[bytes]:
    for number in range(_ENTRIES):
        yield hashlib.sha256(number.to_bytes(8)).digest().ljust(_BYTES, b".")
