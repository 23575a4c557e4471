"""`statuette quickstart`: a brand ready to be called, with one command that can be repeated."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

_SCOPES = ("credits:write", "accounts:read", "findings:read", "findings:write", "generations:read")


@click.command("quickstart")
@click.argument("brand_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys-file",
    type=click.Path(path_type=Path),
    default=Path("var/keys.env"),
    show_default=True,
    help="Where new keys are written, readable by you alone.",
)
def quickstart(brand_file: Path, keys_file: Path) -> None:
    """Migrate, apply a brand, and make its keys unless the file with them is there."""
    asyncio.run(_prepare(brand_file, keys_file, has_keys=keys_file.exists()))


async def _prepare(brand_file: Path, keys_file: Path, *, has_keys: bool) -> None:
    import os

    from statuette.kernel.db.database import Database
    from statuette.kernel.db.engines import engine_for
    from statuette.kernel.db.schema import migrate
    from statuette.kernel.domain.brands import flow, service
    from statuette.kernel.plugins import PluginRegistry
    from statuette.kernel.settings_loading import load_settings
    from statuette.values import SystemClock

    settings = load_settings()
    clock = SystemClock()
    database = Database(engine_for(settings.database_url), clock)
    try:
        await database.open()
        await migrate(database.engine)
        plugins = PluginRegistry.load(settings, clock)
        await flow.apply_brands(database, plugins, [brand_file], dry_run=False)
        slug = flow.check_files(plugins, [brand_file])[0][0].config.slug
        async with database.transaction() as tx:
            brand_id = await service.brand_id_of(tx, slug)
            if has_keys and await service.keys_of(tx, brand_id):
                return  # a file beside a database that was thrown away holds keys of nothing
            _, secret = await service.create_key(tx, brand_id, "secret", "quickstart", _SCOPES)
            _, publishable = await service.create_key(tx, brand_id, "publishable", "quickstart")
    finally:
        await database.close()
    keys_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(keys_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# Keys of the brand {slug}. They are shown nowhere else.\n")
        file.write(f"STATUETTE_SECRET_KEY={secret}\nSTATUETTE_PUBLISHABLE_KEY={publishable}\n")


command = quickstart
