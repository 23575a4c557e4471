"""The evidence log of a deployment: receipts get their place in it, and each addition ends with a signed head (RFC 6962).

Workers write receipts without a place, so that none waits for another. Whoever ticks puts them in order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from statuette.evidence import (
    LaterHead,
    Opening,
    SignedHead,
    TileId,
    edge,
    grow,
    key_id,
    leaf_hash,
    make_bundle,
    prove_consistency,
    prove_inclusion,
    sign_head,
)
from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.evidence.receipts import HeldReceipt
from statuette.kernel.evidence.tables import EvidenceEntry, EvidenceHead

SEALED_AT_ONCE = 500


class _Pending(msgspec.Struct, frozen=True):
    id: str
    deadline_id: str
    account_id: str | None
    body: str
    holder: str | None


class _Newest(msgspec.Struct, frozen=True):
    at: datetime | None


class StoredHead(msgspec.Struct, frozen=True):
    """A row of the heads."""

    size: int
    log: str
    root: str
    at: datetime
    public_key: str
    signature: str

    @property
    def signed(self) -> SignedHead:
        return SignedHead(
            log=self.log,
            key=key_id(bytes.fromhex(self.public_key)),
            size=self.size,
            root=bytes.fromhex(self.root),
            at=self.at,
            signature=bytes.fromhex(self.signature),
        )


class _Tile(msgspec.Struct, frozen=True):
    level: int
    number: int
    hashes: bytes


class EvidenceLog:
    """Adds to the log and proves what is in it.

    Args:
        seed: 32 secret bytes that the signing key is made of (RFC 8032).
    """

    def __init__(self, database: Database, seed: bytes) -> None:
        self._database = database
        self._private_key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public_key = self._private_key.public_key().public_bytes_raw()
        self._rows_gone_until: datetime | None = None

    async def truncate(self) -> int:
        """Cut the write-ahead log, so that deleted rows are gone from disk. The scheduler's job.

        Returns:
            1 if something was in the way, else 0.
        """
        began = self._database.clock.now()
        if not await self._database.engine.truncate_log():
            return 1
        self._rows_gone_until = began
        return 0

    async def seal(self) -> int:
        """Give receipts their place in the log, at most `SEALED_AT_ONCE`; returns how many. The scheduler's job.

        On SQLite a receipt waits until the write-ahead log was truncated after it: until then the deleted row is on disk.
        """
        if not self._database.postgres and await self._any_on_disk():
            await self.truncate()
        async with self._database.transaction() as tx:
            pending = await self._pending(tx)
            if not pending:
                return 0
            # Two that seal at once: the second waits for the first, and if there was none, its entries exist already.
            last = await _latest(tx, tx.for_update)
            size = last.size if last is not None else 0
            growth = grow(size, await _Tiles(tx).tiles(edge(size)), (leaf_hash(each.body.encode()) for each in pending))
            for sequence, receipt in enumerate(pending, size):
                await self._enter(tx, sequence, receipt)
            for place, hashes in growth.tiles.items():
                await tx.execute(
                    "INSERT INTO evidence_tile (id, level, number, hashes) VALUES (:id, :level, :number, :hashes)"
                    " ON CONFLICT (id) DO UPDATE SET hashes = :hashes",
                    id=_tile_id(place),
                    level=place.level,
                    number=place.number,
                    hashes=hashes,
                )
            log = last.log if last is not None else key_id(self._public_key)
            head = sign_head(self._private_key, log=log, size=growth.size, root=growth.root, at=tx.now)
            await tx.insert(
                EvidenceHead,
                size=head.size,
                log=head.log,
                root=head.root.hex(),
                at=head.at,
                public_key=self._public_key.hex(),
                signature=head.signature.hex(),
            )
            return len(pending)

    async def receipt_file(self, reader: Reader, receipt: HeldReceipt) -> bytes | None:
        """What the holder keeps; None while the receipt has no place in the log."""
        last = await _latest(reader)
        if last is None or receipt.entry is None:
            return None
        return make_bundle(
            receipt.body.encode(),
            index=receipt.entry,
            proof=await prove_inclusion(_Tiles(reader), receipt.entry, last.size),
            head=last.signed,
            public_key=bytes.fromhex(last.public_key),
            opening=Opening(salt=receipt.salt, record=receipt.record_id, account=receipt.account_id),
        )

    async def head(self, reader: Reader) -> SignedHead | None:
        """The newest signed head; None while the log is empty."""
        last = await _latest(reader)
        return None if last is None else last.signed

    async def later_head(self, reader: Reader, since: int) -> LaterHead | None:
        """The newest head, and the proof that its log begins with the first `since` entries; None while the log is shorter."""
        last = await _latest(reader)
        if last is None or last.size < since:
            return None
        return LaterHead(head=last.signed, consistency=await prove_consistency(_Tiles(reader), since, last.size))

    async def _any_on_disk(self) -> bool:
        async with self._database.read() as reader:
            newest = await reader.one(_Newest, "SELECT MAX(created_at) AS at FROM receipt WHERE entry IS NULL")
        at = newest.at if newest is not None else None
        return at is not None and (self._rows_gone_until is None or self._rows_gone_until < at)

    async def _pending(self, tx: Transaction) -> list[_Pending]:
        until = tx.now if tx.postgres else self._rows_gone_until
        if until is None:
            return []
        return await tx.all(
            _Pending,
            "SELECT id, deadline_id, account_id, body, holder FROM receipt WHERE entry IS NULL AND created_at <= :until"
            " ORDER BY id LIMIT :limit",
            until=until,
            limit=SEALED_AT_ONCE,
        )

    async def _enter(self, tx: Transaction, sequence: int, receipt: _Pending) -> None:
        await tx.insert(EvidenceEntry, sequence=sequence, body=receipt.body)
        if (
            receipt.account_id is None and receipt.holder is None
        ):  # nobody is there to hold it; the log has what it says
            await tx.execute("DELETE FROM receipt WHERE id = :id", id=receipt.id)
        else:
            await tx.execute("UPDATE receipt SET entry = :entry WHERE id = :id", id=receipt.id, entry=sequence)
        await tx.execute(
            "UPDATE deadline SET state = 'receipted', updated_at = :now WHERE id = :id AND state = 'verified'",
            id=receipt.deadline_id,
            now=tx.now,
        )
        if receipt.account_id is None:
            # Nor is anybody whom the deadline, which names the account, could tell anything, or one that it took the place of.
            await tx.execute(
                "DELETE FROM deadline WHERE record_id IN (SELECT record_id FROM deadline WHERE id = :id)"
                " AND (id = :id OR state = 'superseded')",
                id=receipt.deadline_id,
            )


class _Tiles:
    """The tiles in the table."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def tiles(self, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
        found = {}
        for place in wanted:
            row = await self._reader.one(
                _Tile, "SELECT level, number, hashes FROM evidence_tile WHERE id = :id", id=_tile_id(place)
            )
            if row is not None:
                found[place] = row.hashes
        return found


def _tile_id(place: TileId) -> str:
    return f"{place.level}/{place.number}"


async def _latest(reader: Reader, lock: str = "") -> StoredHead | None:
    return await reader.one(
        StoredHead,
        f"SELECT size, log, root, at, public_key, signature FROM evidence_head ORDER BY size DESC LIMIT 1{lock}",
    )
