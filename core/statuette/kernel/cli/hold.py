"""`statuette hold`: keep what a court, an authority or a dispute needs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from statuette.kernel.enforcement.holds import HoldView, Placed

_REASONS = ("court_order", "authority_order", "legal_claim", "dispute")


@click.group("hold")
def hold() -> None:
    """Place and lift legal holds: what is held is out of sight past its deadline, and not deleted."""


@hold.command("add")
@click.argument("brand")
@click.argument("subject")
@click.option("--reason", type=click.Choice(_REASONS), required=True)
@click.option("--reference", default="", help="Your own, such as a case number. No names.")
@click.option("--by", default="operator", show_default=True, help="Who answers for it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def add(brand: str, subject: str, reason: str, reference: str, by: str, as_json: bool) -> None:
    """Hold what SUBJECT names: the id of an account, photo, figurine or job. Exit code 1 when some of it was too late."""
    placed = asyncio.run(_placed(brand, subject, reason, reference, by))
    if as_json:
        _json(placed)
    else:
        click.echo(f"{placed.hold.id} holds {subject} until you lift it.")
        for record_id in placed.too_late:
            click.echo(f"  too late for {record_id}: its deletion had begun.")
    raise SystemExit(int(bool(placed.too_late)))


@hold.command("lift")
@click.argument("brand")
@click.argument("hold_id")
@click.option("--by", default="operator", show_default=True, help="Who answers for it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def lift(brand: str, hold_id: str, by: str, as_json: bool) -> None:
    """End a hold. What is past its deadline is deleted soon, unless another hold keeps it."""
    lifted = asyncio.run(_lifted(brand, hold_id, by))
    if as_json:
        _json(lifted)
    else:
        click.echo(f"{lifted.id} is lifted.")


@hold.command("list")
@click.argument("brand")
@click.option("--all", "everything", is_flag=True, help="Also those that were lifted.")
@click.option("--limit", default=50, show_default=True, help="Most rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_holds(brand: str, everything: bool, limit: int, as_json: bool) -> None:
    """List holds, newest first."""
    rows = asyncio.run(_listed(brand, everything, limit))
    if as_json:
        _json(rows)
    elif not rows:
        click.echo("Nothing is held.")
    for row in rows if not as_json else ():
        state = f"lifted {row.lifted_at:%Y-%m-%d}" if row.lifted_at else "in force"
        click.echo(
            f"{row.id}  {row.placed_at:%Y-%m-%d %H:%M}Z  {state:17}  {row.reason:15}  {row.subject}  {row.reference}"
        )


async def _placed(brand: str, subject: str, reason: str, reference: str, by: str) -> Placed:
    from statuette.kernel.app import compose
    from statuette.kernel.cli.opening import opened_database, opened_plugins
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.enforcement.holds import HoldReason, place
    from statuette.kernel.settings_loading import load_settings

    settings = load_settings()
    async with (
        opened_plugins(settings) as plugins,
        opened_database(settings) as database,
        database.transaction() as tx,
    ):
        return await place(
            tx,
            compose(settings, plugins=plugins).datasets,
            brand_id=await brand_id_of(tx, brand),
            subject=subject,
            reason=HoldReason(reason),
            reference=reference,
            placed_by=by,
        )


async def _lifted(brand: str, hold_id: str, by: str) -> HoldView:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.enforcement.holds import lift
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.transaction() as tx:
        return await lift(tx, brand_id=await brand_id_of(tx, brand), hold_id=hold_id, lifted_by=by)


async def _listed(brand: str, everything: bool, limit: int) -> list[HoldView]:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.enforcement.holds import listed
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.read() as reader:
        brand_id = await brand_id_of(reader, brand)
        return await listed(reader, brand_id=brand_id, include_lifted=everything, before=None, limit=limit)


def _json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


command = hold
