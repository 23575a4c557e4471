"""`statuette doctor`: whether a deployment can keep its promises."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from statuette.kernel.probes import Checked
    from statuette.kernel.settings import Settings


@click.command("doctor")
@click.option(
    "--restore-tried", is_flag=True, help="You have just tried a restore, by means of PostgreSQL: remember that."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(restore_tried: bool, as_json: bool) -> None:
    """Check schema, plugins, stores, backups and safeguards, beside a working site. Exit code 1 when anything is not well."""
    import msgspec

    from statuette.kernel.settings_loading import load_settings

    found = asyncio.run(_examined(load_settings(), restore_tried))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        for each in found:
            click.echo(f"{'ok  ' if each.ok else 'FAIL'}  {each.name:26} {each.detail}")
            if each.cure:
                click.echo(f"{'':32} cure: {each.cure}")
    sys.exit(int(any(not each.ok for each in found)))


async def _examined(settings: Settings, restore_tried: bool) -> list[Checked]:
    from statuette.kernel.app import compose
    from statuette.kernel.backup import upkeep
    from statuette.kernel.doctor import examine

    platform = compose(settings)
    try:
        await platform.database.open()
        if restore_tried:
            async with platform.database.transaction() as tx:
                await upkeep.note(tx, upkeep.Done.restore_tried, "by hand")
        return await examine(platform)
    finally:
        await platform.database.close()
        await platform.plugins.aclose()


command = doctor
