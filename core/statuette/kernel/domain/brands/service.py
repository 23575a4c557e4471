"""Rules of brands and their keys. Works in an open transaction and never commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from statuette.errors import ConfigurationError, InvalidInput, NotFound
from statuette.kernel.access.roles import SCOPES, Role, granted
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.brands import changes, keys, repository
from statuette.kernel.domain.brands.changes import Change
from statuette.kernel.domain.brands.config import BrandConfig, stored
from statuette.kernel.domain.brands.keys import KeyKind
from statuette.kernel.domain.brands.repository import ApiKeyRow, BrandRow
from statuette.kernel.toml_source import did_you_mean

LONGEST_LABEL = 80


class KeyView(msgspec.Struct, frozen=True):
    """A key as an operator sees it: all but its text. `ending` helps to recognise it.

    Attributes:
        scopes: all that it may do: by its role, and beside it.
    """

    id: str
    brand_id: str
    kind: KeyKind
    label: str
    ending: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    role: str | None


class UnknownRole(InvalidInput):
    code = "unknown_role"
    summary = "There is no such role."


class UnknownScope(InvalidInput):
    code = "unknown_scope"
    summary = "There is no such scope."


async def release_hosts(tx: Transaction, config: BrandConfig) -> None:
    """Give up the hosts that the brand no longer names, so that another may take them in the same transaction."""
    row = await repository.by_slug(tx, config.slug)
    if row is not None:
        for host in await repository.hosts(tx, row.id) - set(config.hosts):
            await repository.release_host(tx, host, row.id)


async def apply(tx: Transaction, config: BrandConfig, source: str) -> list[Change]:
    """Make the brand what `config` says; nothing changes when it is that already.

    Args:
        source: where the brand is written, for errors.

    Raises:
        ConfigurationError: a host is another brand's; names both.
    """
    row = await repository.by_slug(tx, config.slug)
    await release_hosts(tx, config)
    if row is None:
        brand_id = await repository.insert(tx, config)
        differences = changes.between(None, config)
    else:
        brand_id = row.id
        differences = changes.between(_known(row), config)
        if row.config_digest != config.digest():
            await repository.update(tx, row.id, config)
    for host in config.hosts:
        await repository.claim_host(tx, host, brand_id)
        owner = await repository.host_owner(tx, host)
        if owner != config.slug:
            raise ConfigurationError(
                f"{source}: The host {host!r} of the brand {config.slug!r} belongs to the brand {owner!r}.",
                cure="Take it out of one of the two files.",
            )
    return differences


def _known(row: BrandRow) -> BrandConfig | None:
    """What is stored; None for a row of another version, which is then replaced whole."""
    try:
        return stored(row.config)
    except msgspec.ValidationError:
        return None


async def brand_id_of(reader: Reader, slug: str) -> str:
    """Raises `NotFound`."""
    row = await repository.by_slug(reader, slug)
    if row is None:
        raise NotFound(f"There is no brand {slug!r}.", cure="`statuette brand list` names them.")
    return row.id


async def all_brands(reader: Reader) -> list[BrandRow]:
    """In order of their slugs."""
    return await repository.all_brands(reader)


async def create_key(
    tx: Transaction, brand_id: str, kind: KeyKind, label: str, scopes: Sequence[str] = (), role: str | None = None
) -> tuple[KeyView, str]:
    """Make a key; returns its view and its text, which cannot be had again.

    Raises:
        NotFound: no such brand.
        UnknownRole, UnknownScope: one that does not exist, or any on a publishable key.
    """
    mode = await tx.value("SELECT mode FROM brand WHERE id = :id", id=brand_id)
    if mode is None:
        raise NotFound("There is no such brand.")
    if kind == "publishable" and scopes:
        raise UnknownScope("A publishable key has no scopes.", cure="Make a secret key.")
    if kind == "publishable" and role is not None:
        raise UnknownRole("A publishable key has no role.", cure="Make a secret key.")
    if role is not None and role not in set(Role):
        raise UnknownRole(f"There is no role {role[:40]!r}.", cure=did_you_mean(role, sorted(Role), what="role"))
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownScope(f"There is no scope {scope[:40]!r}.", cure=did_you_mean(scope, SCOPES, what="scope"))
    if not label.isprintable() or len(label) > LONGEST_LABEL:
        raise InvalidInput(f"A label has at most {LONGEST_LABEL} printable characters.")
    plaintext = keys.new_key(kind, mode)
    row = await repository.insert_key(
        tx,
        brand_id=brand_id,
        kind=kind,
        label=label,
        token_hash=keys.hashed(plaintext),
        ending=plaintext[-4:],
        scopes=" ".join(sorted(set(scopes))),
        role=role,
    )
    return _view(row), plaintext


async def find_key(reader: Reader, plaintext: str) -> KeyView | None:
    """The key of that text, if it is good now: not revoked, and made for the mode its brand is in."""
    text = keys.parsed(plaintext)
    if text is None:
        return None
    row = await repository.key_by_hash(reader, text.token_hash, text.kind, text.mode)
    return _view(row) if row is not None else None


async def keys_of(reader: Reader, brand_id: str) -> list[KeyView]:
    """Every key of the brand, revoked ones included, oldest first."""
    return [_view(row) for row in await repository.keys_of(reader, brand_id)]


async def revoke_key(tx: Transaction, brand_id: str, key_id: str) -> bool:
    """Whether there was a live key of that id."""
    return await repository.revoke_key(tx, brand_id, key_id)


def _view(row: ApiKeyRow) -> KeyView:
    fields = msgspec.structs.asdict(row) | {"scopes": granted(row.role, row.scopes.split())}
    return msgspec.convert(fields, KeyView)
