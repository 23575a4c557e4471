"""`statuette keys`: the master keys that wrap data keys."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from statuette.ports.keys import KeyStore


@click.group("keys")
def keys() -> None:
    """Rotate the master keys that wrap people's data keys."""


@keys.command("new")
def new() -> None:
    """Print a fresh line for a file of master keys. It is a secret: let it go into the file and nowhere else."""
    from statuette.envelope import new_master_key_line

    click.echo(new_master_key_line(), nl=False)


@keys.command("rotate")
@click.option("--json", "as_json", is_flag=True, help="One JSON document at the end, no progress.")
def rotate(as_json: bool) -> None:
    """Make a newer master key, and wrap every data key with it.

    Data stays readable throughout, and processes go on serving. Cut off in the middle, it is finished by `statuette keys rewrap`.
    """
    sys.exit(asyncio.run(_rewrapped(as_json, make=True)))


@keys.command("rewrap")
@click.option("--json", "as_json", is_flag=True, help="One JSON document at the end, no progress.")
def rewrap(as_json: bool) -> None:
    """Wrap every data key with the newest master key there is: after you added one, or to finish a rotation."""
    sys.exit(asyncio.run(_rewrapped(as_json, make=False)))


async def _rewrapped(as_json: bool, *, make: bool) -> int:
    import msgspec

    from statuette.kernel.cli.opening import opened_plugins
    from statuette.kernel.settings_loading import load_settings

    async with opened_plugins(load_settings()) as plugins:
        store = plugins.key_store
        made = await store.add_master_key() if make else None
        if made and not as_json:
            click.echo(f"made the master key {made}")
        changed, failed = await rewrap_by_parts(store, None if as_json else _progress)
    if as_json:
        told = {"store": store.name, "master_key": made, "rewrapped": changed, "failed": failed}
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
        return int(bool(failed))
    click.echo(f"{changed} data keys in {store.name} wrapped anew.")
    for detail in failed:
        click.echo(f"error: {detail}", err=True)
    if failed:
        click.echo(
            "  cure: Restore what cannot be read from the backup of the keys, then `statuette keys rewrap`.", err=True
        )
    else:
        click.echo("Older master keys open backups of the keys, and nothing else any more: keep them as long as those.")
    return int(bool(failed))


async def rewrap_by_parts(store: KeyStore, progress: Callable[[int, int], None] | None) -> tuple[int, list[str]]:
    """Wrap every key with the newest master key, part by part; returns how many changed, and what went wrong."""
    from statuette.ports.keys import REWRAP_PARTS, KeyStoreUnavailable

    changed, failed = 0, list[str]()
    for part in range(REWRAP_PARTS):
        try:
            changed += await store.rewrap_part(part)
        except KeyStoreUnavailable as error:  # the other parts are none the worse for it
            failed.append(error.detail)
        if progress is not None:
            progress(part + 1, changed)
    return changed, failed


def _progress(parts: int, changed: int) -> None:
    from statuette.ports.keys import REWRAP_PARTS

    if parts % 32 == 0:
        click.echo(f"  {100 * parts // REWRAP_PARTS:3} %  {changed} wrapped anew")


command = keys
