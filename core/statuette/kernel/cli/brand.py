"""`statuette brand`: brand files, brands, and their keys."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from statuette.kernel.domain.brands.flow import Applied
    from statuette.kernel.domain.brands.repository import BrandRow
    from statuette.kernel.domain.brands.service import KeyView


@click.group("brand")
def command() -> None:
    """Apply brand files; list brands; make and revoke keys."""


@command.command("apply")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def apply_files(files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Apply brand files: FILES, or all of the folder `brands_dir`. All of them or, when one is wrong, none."""
    applied = asyncio.run(_applied(files, dry_run))
    if as_json:
        _json(applied)
        return
    for warning in applied.warnings:
        click.echo(f"warning: {warning}", err=True)
    for change in applied.changes:
        click.echo(str(change))
    for slug in applied.unchanged:
        click.echo(f"{slug}: unchanged")
    if dry_run:
        click.echo("Nothing was written (--dry-run).")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_brands(as_json: bool) -> None:
    """List the brands of this deployment."""
    rows = asyncio.run(_brands())
    shown = [{"id": row.id, "slug": row.slug, "mode": row.mode, "updated_at": row.updated_at} for row in rows]
    if as_json:
        _json(shown)
        return
    for row in rows:
        click.echo(f"{row.slug:40} {row.mode:5} {row.id}  {row.updated_at:%Y-%m-%d %H:%M}Z")


@command.group("keys")
def keys() -> None:
    """Keys of a brand."""


@keys.command("create")
@click.argument("brand")
@click.option("--kind", type=click.Choice(["publishable", "secret"]), default="publishable", show_default=True)
@click.option("--label", default="", help="A word to recognise the key by.")
@click.option("--role", help="What a secret key is for: owner, support, …; `statuette access roles` lists them.")
@click.option("--scope", "scopes", multiple=True, help="What a secret key may do beside its role; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def create(
    brand: str,
    kind: Literal["publishable", "secret"],
    label: str,
    role: str | None,
    scopes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a key. Its text is shown once, on standard output; only a hash is kept."""
    view, plaintext = asyncio.run(_created(brand, kind, label, scopes, role))
    if as_json:
        _json({"id": view.id, "kind": view.kind, "role": view.role, "scopes": view.scopes, "key": plaintext})
        return
    click.echo(f"{view.id}: keep this text now, it cannot be shown again.", err=True)
    click.echo(plaintext)


@keys.command("list")
@click.argument("brand")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_keys(brand: str, as_json: bool) -> None:
    """List the keys of a brand, revoked ones included."""
    from statuette.kernel.access.roles import granted

    views = asyncio.run(_keys(brand))
    if as_json:
        _json(views)
        return
    for view in views:
        state = f"revoked {view.revoked_at:%Y-%m-%d}" if view.revoked_at else "live"
        may = [f"role:{view.role}"] if view.role else []
        may += sorted(set(view.scopes) - set(granted(view.role, ())))
        click.echo(f"{view.id}  {view.kind:11} …{view.ending}  {state:18} {view.label} {' '.join(may)}")


@keys.command("revoke")
@click.argument("brand")
@click.argument("key_id")
def revoke(brand: str, key_id: str) -> None:
    """Revoke a key. It stops working within five seconds."""
    if not asyncio.run(_revoked(brand, key_id)):
        raise click.ClickException(f"The brand has no live key {key_id}.")
    click.echo(f"revoked {key_id}")


async def _applied(files: tuple[Path, ...], dry_run: bool) -> Applied:
    from statuette.kernel.cli.opening import opened_database, opened_plugins
    from statuette.kernel.domain.brands.flow import apply_brands, brand_files, check_files
    from statuette.kernel.settings_loading import load_settings

    settings = load_settings()
    paths = brand_files(files, settings.brands_dir)
    async with opened_plugins(settings) as registry:
        check_files(registry, paths)  # a mistake in a file is told even where there is no database yet
        async with opened_database(settings) as database:
            return await apply_brands(database, registry, paths, dry_run=dry_run)


async def _brands() -> list[BrandRow]:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import all_brands
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.read() as reader:
        return await all_brands(reader)


async def _created(
    brand: str, kind: Literal["publishable", "secret"], label: str, scopes: tuple[str, ...], role: str | None
) -> tuple[KeyView, str]:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of, create_key
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.transaction() as tx:
        return await create_key(tx, await brand_id_of(tx, brand), kind, label, scopes, role)


async def _keys(brand: str) -> list[KeyView]:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of, keys_of
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.read() as reader:
        return await keys_of(reader, await brand_id_of(reader, brand))


async def _revoked(brand: str, key_id: str) -> bool:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of, revoke_key
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.transaction() as tx:
        return await revoke_key(tx, await brand_id_of(tx, brand), key_id)


def _json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
