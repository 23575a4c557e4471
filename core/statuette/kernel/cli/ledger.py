"""`statuette ledger`: whether the credits add up."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from statuette.kernel.domain.credits.verify import Discrepancy


@click.group("ledger")
def ledger() -> None:
    """Look after the ledger of credits."""


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify(as_json: bool) -> None:
    """Check every transfer, wallet, lot and hold of every brand. Exit code 1 when something does not add up."""
    from statuette.kernel.settings_loading import load_settings

    sys.exit(verify_command(load_settings().database_url, as_json))


def verify_command(database_url: str, as_json: bool) -> int:
    """Print what is wrong; 0 when nothing is, else 1."""
    import msgspec

    found = asyncio.run(run_verify(database_url))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif not found:
        click.echo("The ledger adds up.")
    else:
        for item in found:
            click.echo(f"{item.code:20} {item.brand_id} {item.subject}: expected {item.expected}, found {item.found}")
        click.echo(f"{len(found)} discrepancies.")
    return int(bool(found))


async def run_verify(database_url: str) -> list[Discrepancy]:
    """Every discrepancy. Only reads, so it may run beside a live platform.

    Raises:
        ConfigurationError: there is no database there.
        UnknownSchema: it is not at this version's schema.
    """
    from statuette.errors import ConfigurationError
    from statuette.kernel.db.database import Database
    from statuette.kernel.db.engines import engine_for
    from statuette.kernel.db.schema import check_schema
    from statuette.kernel.domain.credits.verify import verify
    from statuette.values import SystemClock

    # SQLite would make an empty one.
    path = database_url.removeprefix("sqlite:///")
    if path != database_url and not await asyncio.to_thread(Path(path).is_file):
        raise ConfigurationError(f"There is no database at {path}.", cure="Name the one that the platform uses.")
    database = Database(engine_for(database_url), SystemClock())
    try:
        await database.open()
        await check_schema(database.engine)
        async with database.read() as reader:
            return await verify(reader)
    finally:
        await database.close()


command = ledger
