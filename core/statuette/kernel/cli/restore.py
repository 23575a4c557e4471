"""`statuette restore`: a backup takes the place of what there is, or is tried out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from statuette.kernel.settings import Settings

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("restore")
@click.argument("folder", type=_FOLDER)
@click.option("--keys-from", type=_FOLDER, help="A copy of the data keys, to be put back too.")
@click.option("--replace", is_flag=True, help="The database that is there is given up.")
@click.option("--without-journal", is_flag=True, help="The erasure journal is lost: what was erased since comes back.")
@click.option("--try", "trial", is_flag=True, help="Only see whether it could be restored; nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def restore(
    folder: Path, keys_from: Path | None, replace: bool, without_journal: bool, trial: bool, as_json: bool
) -> None:
    """Restore the backup in FOLDER, while the site is stopped, and do again what the erasure journal says.

    Objects that are there stay; those that lack are put back. With --try the site may work meanwhile. Exit code 2: it cannot be
    restored, with the reason.
    """
    import msgspec

    from statuette.kernel.settings_loading import load_settings

    settings = load_settings()
    if trial:
        told = asyncio.run(_tried(settings, folder))
    else:
        told = _restored(settings, folder, keys_from, replace=replace, without_journal=without_journal)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    for name, value in told.items():
        click.echo(f"{name:16} {value}")


def _restored(
    settings: Settings, folder: Path, keys_from: Path | None, *, replace: bool, without_journal: bool
) -> dict[str, Any]:
    from statuette.errors import ConfigurationError
    from statuette.kernel.cli.backup import sqlite_file
    from statuette.kernel.cli.serve import only_process

    database = sqlite_file(settings)
    with only_process(settings.data_dir):
        if database.exists() and not replace:
            raise ConfigurationError(
                f"There is a database: {database}.",
                cure="With --replace it is given up, and the backup takes its place.",
            )
        return asyncio.run(_put_back(settings, folder, keys_from, database, without_journal=without_journal))


async def _put_back(
    settings: Settings, folder: Path, keys_from: Path | None, database: Path, *, without_journal: bool
) -> dict[str, Any]:
    from statuette.kernel.app import compose
    from statuette.kernel.backup import restoring, upkeep
    from statuette.kernel.running import caught_up

    platform = compose(settings)
    journal = platform.journal
    manifest = await restoring.look_over(
        folder, journal, journal.kept, platform.clock.now(), without_journal=without_journal
    )
    keys = await platform.plugins.key_store.put_back(keys_from) if keys_from is not None else 0
    back = await restoring.put_back(folder, database, platform.plugins.storage)
    replayed = await caught_up(platform, done=lambda tx: upkeep.note(tx, upkeep.Done.restore_tried, folder.name))
    return {
        "backup_of": manifest.made_at.isoformat(),
        "objects": back.objects,
        "objects_there": back.objects_there,
        "keys": keys,
        "journal_segments": replayed.segments,
        "erased_again": replayed.erased,
        "asked_again": replayed.asked,
        "wishes_again": replayed.wishes,
    }


async def _tried(settings: Settings, folder: Path) -> dict[str, Any]:
    """Open a copy as a start would, and bring it to this version's schema."""
    import tempfile

    import msgspec

    from statuette.kernel.backup import restoring, upkeep
    from statuette.kernel.backup.manifest import read_manifest
    from statuette.kernel.cli.opening import opened_database

    with tempfile.TemporaryDirectory() as scratch:
        copy = await restoring.tried_out(folder, Path(scratch))
        trial = msgspec.structs.replace(settings, database_url=f"sqlite:///{copy}")
        async with opened_database(trial) as database, database.read() as reader:
            tables = ("brand", "account", "upload", "figurine", "generation")
            rows = {table: await reader.value(f"SELECT COUNT(*) AS n FROM {table}") for table in tables}
    manifest = read_manifest(folder)
    async with opened_database(settings) as database, database.transaction() as tx:
        await upkeep.note(tx, upkeep.Done.restore_tried, folder.name)
    return {"backup_of": manifest.made_at.isoformat(), "whole": True, "objects": manifest.objects, **rows}


command = restore
