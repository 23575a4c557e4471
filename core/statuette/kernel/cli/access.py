"""`statuette access`: what operators' keys may do, and who uncovered what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from statuette.kernel.access.reveals import RevealRow

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@click.group("access")
def command() -> None:
    """See what keys may do, and who uncovered what of whom."""


@command.command("roles")
@_JSON
def roles(as_json: bool) -> None:
    """List the roles that a secret key may have, and the scopes of each."""
    from statuette.kernel.access.roles import ROLES, SCOPES

    if as_json:
        _print_json({role.value: sorted(scopes) for role, scopes in ROLES.items()})
        return
    for role, scopes in ROLES.items():
        click.echo(role.value)
        for scope in sorted(scopes):
            click.echo(f"  {scope:18} {SCOPES[scope]}")


@command.command("reveals")
@click.argument("brand")
@click.option("--account", help="Of this account alone.")
@click.option("--key", help="By this key alone.")
@click.option("--before", help="Older than this one: the id of the last that was listed.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Most rows.")
@_JSON
def reveals(brand: str, account: str | None, key: str | None, before: str | None, limit: int, as_json: bool) -> None:
    """List who uncovered what of whom, and why, newest first. What was seen is not told."""
    rows = asyncio.run(_listed(brand, account, key, before, limit))
    if as_json:
        from statuette.kernel.access.schemas import RevealView

        _print_json([RevealView.of(row) for row in rows])
    elif not rows:
        click.echo("Nobody has uncovered anything.")
    for row in rows if not as_json else ():
        click.echo(
            f"{row.id}  {row.created_at:%Y-%m-%d %H:%M}Z  {row.actor}  {row.subject:16} {row.record_id}"
            f"  of {row.account_id or 'nobody with an account'}  {row.reason}"
        )


async def _listed(brand: str, account: str | None, key: str | None, before: str | None, limit: int) -> list[RevealRow]:
    from statuette.kernel.access.reveals import listed
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.read() as reader:
        brand_id = await brand_id_of(reader, brand)
        return await listed(reader, brand_id, account_id=account, actor=key, before=before, limit=limit)


def _print_json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
