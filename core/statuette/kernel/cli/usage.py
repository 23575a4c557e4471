"""`statuette usage`: how a site is used, and what people let be read to improve models."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from statuette.kernel.domain.usage.improvement import Example
    from statuette.kernel.domain.usage.schemas import UsageCellView


@click.group("usage")
def command() -> None:
    """See how a site is used by all together, and export what people let be read to improve models."""


@command.command("report")
@click.argument("brand")
@click.option("--week", help="Only this week, by its first day, a Monday: 2026-11-23.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Most rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def report(brand: str, week: str | None, limit: int, as_json: bool) -> None:
    """About how many accounts did the same in a week, the latest week first. Small numbers are left out."""
    rows = asyncio.run(_reported(brand, week, limit))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
    elif not rows:
        click.echo("Nothing is counted yet: a week is a day after it is over, and only what some fifty people did.")
    for row in rows if not as_json else ():
        about = " ".join(part for part in (row.style, row.page, row.level) if part)
        click.echo(
            f"{row.week}  {row.kind:9}  {about:24}  {row.browser}/{row.system:16}"
            f"  {row.accounts:7} accounts  {row.events:8} events"
        )


@command.command("export")
@click.argument("brand")
@click.option("--purpose", type=click.Choice(("improvement",)), required=True, help="What it is read for.")
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), help="A folder for the pictures.")
def export(brand: str, purpose: str, pictures: Path | None) -> None:
    """Print a JSON line for each figurine of people who agree to that now; they are asked again while it is read."""
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    count = asyncio.run(_exported(brand, pictures))
    click.echo(f"{count} figurines.", err=True)


async def _reported(slug: str, week: str | None, limit: int) -> list[UsageCellView]:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.domain.usage.flow import UsageFlow, shown
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database:
        async with database.read() as reader:
            brand_id = await brand_id_of(reader, slug)
        return [shown(row) for row in await UsageFlow(database).report(brand_id, week=week, before=None, limit=limit)]


async def _exported(slug: str, pictures: Path | None) -> int:
    from statuette.kernel.cli.opening import opened_database, opened_plugins
    from statuette.kernel.domain.brands.directory import BrandDirectory
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.domain.usage.improvement import Export
    from statuette.kernel.settings_loading import load_settings
    from statuette.values import SystemClock

    settings = load_settings()
    async with opened_plugins(settings) as plugins, opened_database(settings) as database:
        brands = BrandDirectory(database, plugins.policy_packs, SystemClock(), plugins.all_policy_packs)
        await brands.refresh()
        async with database.read() as reader:
            brand = await brands.by_id(await brand_id_of(reader, slug))
        storage = plugins.storage if pictures is not None else None
        return await write(Export(database, brand, storage).examples(), pictures)


async def write(examples: AsyncIterator[Example], pictures: Path | None) -> int:
    """Print each example, its picture in a file of the folder; returns how many there were."""
    import msgspec

    count = 0
    async for example in examples:
        line = {key: value for key, value in msgspec.structs.asdict(example).items() if key != "picture"}
        if pictures is not None and example.picture is not None:
            line["file"] = f"{example.figurine:07}.png"
            (pictures / line["file"]).write_bytes(example.picture)
        click.echo(msgspec.json.encode(line).decode())
        count += 1
    return count
