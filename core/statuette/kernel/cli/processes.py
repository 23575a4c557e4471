"""`statuette processes`: who is alive, and what they have in hand."""

from __future__ import annotations

import asyncio

import click


@click.command("processes")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def processes(as_json: bool) -> None:
    """List the processes that are alive, oldest first, with the work each has in hand."""
    asyncio.run(_list(as_json))


async def _list(as_json: bool) -> None:
    import msgspec

    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.settings_loading import load_settings
    from statuette.kernel.work.presence import processes

    async with opened_database(load_settings()) as database, database.read() as reader:
        alive = await processes(reader)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(alive)).decode())
    elif not alive:
        click.echo("No process is alive.")
    else:
        for each in alive:
            since = f"{each.started_at:%Y-%m-%d %H:%M:%S}Z"
            click.echo(f"{each.id}  {each.role:22} since {since}  {each.in_hand:4} in hand  {each.host}")


command = processes
