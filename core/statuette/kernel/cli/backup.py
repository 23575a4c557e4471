"""`statuette backup`: of an embedded deployment, while it serves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from statuette.kernel.backup.making import Made
    from statuette.kernel.settings import Settings

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("backup")
@click.argument("target", type=_FOLDER)
@click.option("--keys-to", type=_FOLDER, help="Copy the data keys there; not where the backup goes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def backup(target: Path, keys_to: Path | None, as_json: bool) -> None:
    """Back up into a new folder below TARGET, while the site works, and remove backups that are older than `backup_days`.

    Photos that are to be deleted soon are left out. The master keys are not copied: keep those two files apart from all this.
    """
    import msgspec

    from statuette.kernel.settings_loading import load_settings

    made = asyncio.run(_made(load_settings(), target, keys_to))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(made)).decode())
        return
    manifest = made.manifest
    click.echo(f"made {made.folder}")
    click.echo(f"  database  {manifest.database_bytes} bytes")
    click.echo(
        f"  objects   {manifest.objects}, {manifest.objects_bytes} bytes; {manifest.left_out} left out, which end soon"
    )
    if made.keys_folder is not None:
        click.echo(f"  keys      {made.keys} in {made.keys_folder}")
    else:
        click.echo("  keys      not copied: without them nothing personal in the backup can be read. See --keys-to.")
    for name in made.expired:
        click.echo(f"removed {name}: its time was over")


async def _made(settings: Settings, target: Path, keys_to: Path | None) -> Made:
    from datetime import timedelta

    from statuette.kernel.app import compose
    from statuette.kernel.backup import making, upkeep
    from statuette.kernel.cli.opening import composed

    database_file = sqlite_file(settings)
    making.prepare_places(target, keys_to, settings.data_dir)
    platform = compose(settings)
    now = platform.clock.now()
    async with composed(platform) as database:
        stored, keys = platform.plugins.storage, 0
        folder, manifest = await making.make(database_file, stored, platform.datasets.values(), target, now)
        expired = making.expire(target, timedelta(days=settings.backup_days), now)
        keys_folder = keys_to / folder.name if keys_to is not None else None
        if keys_to is not None and keys_folder is not None:
            keys = await platform.plugins.key_store.back_up(keys_folder)
            expired += making.expire(keys_to, timedelta(days=settings.key_backup_days), now)
        async with database.transaction() as tx:
            await upkeep.note(tx, upkeep.Done.backup, folder.name)
            if keys_folder is not None:
                await upkeep.note(tx, upkeep.Done.key_backup, folder.name)
    return making.Made(str(folder), manifest, str(keys_folder) if keys_folder else None, keys, expired)


def sqlite_file(settings: Settings) -> Path:
    """Raises `ConfigurationError` if the database is another's to back up, or not there."""
    from statuette.errors import ConfigurationError

    if not settings.database_url.startswith("sqlite:///"):
        raise ConfigurationError(
            "This is for the embedded profile's database.",
            cure="PostgreSQL has means of its own: see docs/how-to/back-up-and-restore.md.",
        )
    return Path(settings.database_url.removeprefix("sqlite:///"))


command = backup
