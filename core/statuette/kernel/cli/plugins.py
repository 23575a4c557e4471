"""`statuette plugins`: what is loaded, and what is kept out and why."""

from __future__ import annotations

import asyncio
import sys

import click


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(as_json: bool) -> None:
    """List plugins, what they offer, and why one is kept out. Exit code 1 when one is."""
    sys.exit(asyncio.run(_listed(as_json)))


async def _listed(as_json: bool) -> int:
    import msgspec

    from statuette.kernel.plugins import PluginRegistry
    from statuette.kernel.settings_loading import load_settings
    from statuette.values import SystemClock

    registry = PluginRegistry.survey(load_settings(), SystemClock())
    try:
        if as_json:
            document = {"loaded": registry.loaded, "quarantined": registry.quarantined}
            click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
        else:
            for plugin in registry.loaded:
                click.echo(
                    f"{plugin.name:20} {plugin.version:10} loaded  {', '.join(plugin.offers) or 'offers nothing'}"
                )
            for entry in registry.quarantined:
                click.echo(f"{entry.name:20} {'':10} kept out ({entry.stage}, {entry.code}): {entry}")
    finally:
        await registry.aclose()
    return int(bool(registry.quarantined))
