"""A log to test with: receipts, keys, and the files that holders get."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings

from statuette.evidence import (
    Check,
    Committed,
    MemoryTiles,
    Opening,
    Receipt,
    ReceiptKind,
    Residual,
    SignedHead,
    StoreKind,
    StoreOutcome,
    StoreResult,
    commit,
    entry_of,
    key_id,
    leaf_hash,
    make_bundle,
    prove_consistency,
    prove_inclusion,
    root_at,
    sign_head,
)
from statuette.policy import Action, Trigger

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"1" * 32)
NEXT_KEY = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
PUBLIC_KEY = KEY.public_key().public_bytes_raw()
NEXT_PUBLIC_KEY = NEXT_KEY.public_key().public_bytes_raw()
LOG = key_id(PUBLIC_KEY)

unhurried = settings(deadline=None)
"""For properties of whole logs: an example may take as long as a busy machine makes it."""

RECORD = "upl_00000000000000000000000001"
ACCOUNT = "acc_00000000000000000000000002"
SALT = hashlib.sha256(b"salt").digest()
OBJECTS = StoreOutcome(
    store="local", kind=StoreKind.objects, outcome=StoreResult.deleted, count=4, check=Check.listed_by_prefix_and_key
)
ROWS = StoreOutcome(
    store="sqlite", kind=StoreKind.database, outcome=StoreResult.deleted, count=1, check=Check.row_absent
)
ABUSE_LOG = Residual(processor="gemini", categories=("photo", "prompt"), until=NOON + timedelta(days=55))


def receipt(number: int = 0, **changes: object) -> Receipt:
    made = Receipt(
        id=f"rcp_{number:026}",
        kind=ReceiptKind.enforced,
        rule="upload.used",
        policy_digest=f"sha256:{'ab' * 32}",
        dataset="uploads",
        action=Action.delete,
        trigger=Trigger.used,
        due_at=NOON,
        intent_at=NOON + timedelta(seconds=1),
        executed_at=NOON + timedelta(seconds=2, milliseconds=250),
        verified_at=NOON + timedelta(seconds=3),
        stores=(OBJECTS, ROWS),
        residuals=(),
        subject=commit(Committed.subject, SALT, RECORD),
        account=commit(Committed.account, SALT, ACCOUNT),
    )
    return msgspec.structs.replace(made, **changes)


def entries(count: int) -> list[bytes]:
    """Entries of a log that are short, and all different."""
    return [b"entry %d" % number for number in range(count)]


def tiles_of(some: Sequence[bytes]) -> MemoryTiles:
    tiles = MemoryTiles()
    tiles.append(leaf_hash(entry) for entry in some)
    return tiles


class Log:
    """A log of receipts in memory, and what its operator signs."""

    def __init__(self, size: int = 0) -> None:
        self.entries: list[bytes] = []
        self.tiles = MemoryTiles()
        self.grow(size)

    def grow(self, count: int) -> None:
        self.add(*(entry_of(receipt(len(self.entries) + more)) for more in range(count)))

    def add(self, *some: bytes) -> None:
        self.entries += some
        self.tiles.append(leaf_hash(entry) for entry in some)

    async def head(
        self,
        size: int | None = None,
        *,
        key: Ed25519PrivateKey = KEY,
        at: datetime = NOON,
        log: str = LOG,
    ) -> SignedHead:
        size = self.tiles.size if size is None else size
        return sign_head(key, log=log, size=size, root=await root_at(self.tiles, size), at=at)

    async def bundle(
        self, index: int, *, size: int | None = None, opened: bool = True, key: Ed25519PrivateKey = KEY
    ) -> bytes:
        head = await self.head(size, key=key)
        return make_bundle(
            self.entries[index],
            index=index,
            proof=await prove_inclusion(self.tiles, index, head.size),
            head=head,
            public_key=key.public_key().public_bytes_raw(),
            opening=Opening(salt=SALT, record=RECORD, account=ACCOUNT) if opened else None,
        )

    async def growth_since(self, size: int) -> tuple[bytes, ...]:
        return await prove_consistency(self.tiles, size, self.tiles.size)
