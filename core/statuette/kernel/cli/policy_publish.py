"""`statuette policy publish`: the act by which a version of a brand's policy takes effect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from statuette.kernel.domain.notices.flow import Published


@click.command("publish")
@click.option("--brand", "slug", help="Its slug; left out: every brand.")
@click.option("--dry-run", is_flag=True, help="Show what has changed and what that asks for; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def publish(slug: str | None, dry_run: bool, as_json: bool) -> None:
    """Publish the policy in use: post it, mail every account, and ask again where what people agreed to has changed.

    Exit code 0: what is in use is published now, or was already; with --dry-run, 1: something is not published yet.
    """
    found = asyncio.run(_publish(slug, dry_run))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        for each in found:
            _print(each)
    if dry_run and any(each.needed for each in found):
        raise SystemExit(1)


def _print(found: Published) -> None:
    if not found.needed:
        click.echo(f"{found.brand}: version {found.number} is in use; nothing to publish")
        return
    click.echo(f"{found.brand}: {found.change}")
    for difference in found.differences:
        click.echo(f"  {difference}")
    for purpose in found.asks:
        click.echo(f"  asks again: {purpose}")
    if found.dry_run:
        click.echo("Nothing was written (--dry-run).")
    else:
        click.echo(f"{found.brand}: version {found.number} is published; letters go out from now on")


async def _publish(slug: str | None, dry_run: bool) -> list[Any]:
    from statuette.kernel.cli.opening import opened_database, opened_plugins
    from statuette.kernel.domain.brands.directory import BrandDirectory
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.domain.notices.flow import PublishingFlow
    from statuette.kernel.settings_loading import load_settings
    from statuette.kernel.work.outbox import Outbox
    from statuette.values import SystemClock

    settings = load_settings()
    async with opened_plugins(settings) as plugins, opened_database(settings) as database:
        brands = BrandDirectory(database, plugins.policy_packs, SystemClock(), plugins.all_policy_packs)
        await brands.refresh()
        flow = PublishingFlow(database, Outbox(database, "command"), brands, plugins)
        if slug is None:
            chosen = sorted(brands.loaded(), key=lambda brand: brand.slug)
        else:
            async with database.read() as reader:
                chosen = [await brands.by_id(await brand_id_of(reader, slug))]
        return [await flow.published(brand, approved_by="command", dry_run=dry_run) for brand in chosen]
