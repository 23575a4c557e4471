"""`statuette findings`: what needs a look."""

from __future__ import annotations

import asyncio
import sys

import click


@click.command("findings")
@click.option("--all", "everything", is_flag=True, help="Also those that were dealt with.")
@click.option("--limit", default=50, show_default=True, help="Most rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def findings(everything: bool, limit: int, as_json: bool) -> None:
    """List findings, newest first. Exit code 1 when there are open ones."""
    sys.exit(asyncio.run(_list(everything, limit, as_json)))


async def _list(everything: bool, limit: int, as_json: bool) -> int:
    import msgspec

    from statuette.kernel.db.database import Database
    from statuette.kernel.db.engines import engine_for
    from statuette.kernel.db.schema import check_schema
    from statuette.kernel.settings_loading import load_settings
    from statuette.kernel.work.findings import listed
    from statuette.values import SystemClock

    database = Database(engine_for(load_settings().database_url), SystemClock())
    try:
        await database.open()
        await check_schema(database.engine)
        async with database.read() as reader:
            rows = await listed(reader, brand_id=None, include_resolved=everything, before=None, limit=limit)
    finally:
        await database.close()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    elif not rows:
        click.echo("Nothing needs a look.")
    else:
        for row in rows:
            state = "resolved" if row.resolved_at else "open"
            click.echo(
                f"{row.last_at:%Y-%m-%d %H:%M}Z  {state:8}  {row.code:26} x{row.occurrences:<4} {row.subject} {row.detail}"
            )
    return int(any(row.resolved_at is None for row in rows))


command = findings
