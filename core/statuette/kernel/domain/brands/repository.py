"""SQL of brands, hosts and keys."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.sql import columns_of
from statuette.kernel.domain.brands.config import BrandConfig
from statuette.kernel.domain.brands.tables import ApiKey, Brand, BrandHost


class BrandRow(msgspec.Struct, frozen=True):
    id: str
    slug: str
    mode: str
    config: str
    config_digest: str
    created_at: datetime
    updated_at: datetime


_COLUMNS = columns_of(BrandRow)


class ApiKeyRow(msgspec.Struct, frozen=True):
    """A key without its hash."""

    id: str
    brand_id: str
    kind: str
    label: str
    ending: str
    scopes: str
    created_at: datetime
    revoked_at: datetime | None
    role: str | None


_KEY = "k.id, k.brand_id, k.kind, k.label, k.ending, k.scopes, k.created_at, k.revoked_at, k.role"


async def by_slug(reader: Reader, slug: str) -> BrandRow | None:
    return await reader.one(BrandRow, f"SELECT {_COLUMNS} FROM brand WHERE slug = :slug", slug=slug)


async def all_brands(reader: Reader) -> list[BrandRow]:
    return await reader.all(BrandRow, f"SELECT {_COLUMNS} FROM brand ORDER BY slug")


async def digests(reader: Reader) -> dict[str, str]:
    """Brand id → digest: what a cache compares itself with."""
    return {row["id"]: row["config_digest"] for row in await reader.rows("SELECT id, config_digest FROM brand")}


async def insert(tx: Transaction, config: BrandConfig) -> str:
    brand_id = tx.new_id("brd")
    await tx.insert(
        Brand,
        id=brand_id,
        slug=config.slug,
        mode=config.mode,
        config=config.canonical(),
        config_digest=config.digest(),
        created_at=tx.now,
        updated_at=tx.now,
    )
    return brand_id


async def update(tx: Transaction, brand_id: str, config: BrandConfig) -> None:
    await tx.execute(
        "UPDATE brand SET mode = :mode, config = :config, config_digest = :digest, updated_at = :now WHERE id = :id",
        id=brand_id,
        mode=config.mode,
        config=config.canonical(),
        digest=config.digest(),
        now=tx.now,
    )


async def hosts(reader: Reader, brand_id: str) -> set[str]:
    rows = await reader.rows("SELECT host FROM brand_host WHERE brand_id = :brand_id", brand_id=brand_id)
    return {row["host"] for row in rows}


async def claim_host(tx: Transaction, host: str, brand_id: str) -> None:
    """Make `host` the brand's. Does nothing when it is anybody's already."""
    await tx.insert_new(BrandHost, host=host, brand_id=brand_id)


async def host_owner(reader: Reader, host: str) -> str | None:
    """Slug of the brand that has the host."""
    owner: str | None = await reader.value(
        "SELECT b.slug FROM brand_host h JOIN brand b ON b.id = h.brand_id WHERE h.host = :host", host=host
    )
    return owner


async def release_host(tx: Transaction, host: str, brand_id: str) -> None:
    await tx.execute("DELETE FROM brand_host WHERE host = :host AND brand_id = :brand_id", host=host, brand_id=brand_id)


async def insert_key(
    tx: Transaction,
    *,
    brand_id: str,
    kind: str,
    label: str,
    token_hash: str,
    ending: str,
    scopes: str,
    role: str | None,
) -> ApiKeyRow:
    row = ApiKeyRow(tx.new_id("key"), brand_id, kind, label, ending, scopes, tx.now, None, role)
    await tx.insert(ApiKey, **msgspec.structs.asdict(row), token_hash=token_hash)
    return row


async def key_by_hash(reader: Reader, token_hash: str, kind: str, mode: str) -> ApiKeyRow | None:
    """A live key of that kind, of a brand that is in that mode now."""
    return await reader.one(
        ApiKeyRow,
        f"SELECT {_KEY} FROM api_key k JOIN brand b ON b.id = k.brand_id"
        " WHERE k.token_hash = :token_hash AND k.kind = :kind AND b.mode = :mode AND k.revoked_at IS NULL",
        token_hash=token_hash,
        kind=kind,
        mode=mode,
    )


async def keys_of(reader: Reader, brand_id: str) -> list[ApiKeyRow]:
    return await reader.all(
        ApiKeyRow,
        f"SELECT {_KEY} FROM api_key k WHERE k.brand_id = :brand_id ORDER BY k.id",
        brand_id=brand_id,
    )


async def revoke_key(tx: Transaction, brand_id: str, key_id: str) -> bool:
    return await tx.changed(
        "UPDATE api_key SET revoked_at = :now WHERE id = :id AND brand_id = :brand_id AND revoked_at IS NULL"
        " RETURNING id",
        id=key_id,
        brand_id=brand_id,
        now=tx.now,
    )
