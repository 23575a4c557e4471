"""`statuette migrate`: bring the database to this version's schema."""

from __future__ import annotations

import asyncio

import click


@click.command("migrate")
def command() -> None:
    """Bring the database to this version's schema. May be run again at any time."""
    applied = asyncio.run(_migrated())
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("The database is at this version's schema already.")


async def _migrated() -> list[str]:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.db.schema import migrate
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings(), checked=False) as database:
        return await migrate(database.engine)
