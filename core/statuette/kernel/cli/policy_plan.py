"""`statuette policy plan`, `apply` and `simulate`: what deadlines will do, and what a changed policy does to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from statuette.kernel.db.database import Database
    from statuette.kernel.enforcement.forecast import RuleForecast
    from statuette.kernel.enforcement.plans import Drafted, Plans, PlanView
    from statuette.kernel.plugins import PluginRegistry
    from statuette.kernel.settings import Settings

_HEAD = ("rule", "overdue", "in 1 hour", "in 1 day", "in 1 week", "later", "unarmed", "held", "stopped")
_MOMENT = "%Y-%m-%d %H:%M"


@click.command("plan")
@click.argument("brand")
@click.option("--rule", "rules", multiple=True, help="Only this rule; may be repeated.")
@click.option("--by", default="operator", show_default=True, help="Who drafts it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def plan(brand: str, rules: tuple[str, ...], by: str, as_json: bool) -> None:
    """Show what will happen by when, and draft a plan for what the policy in force would bring forward.

    Exit code 0: it brings nothing forward. 1: a plan waits for approval.
    """
    drafted = asyncio.run(_drafted(brand, rules, by))
    if as_json:
        _json(drafted)
    else:
        _print_forecast(drafted.forecast)
        if drafted.plan is None:
            click.echo("The policy in force brings no deadline forward.")
        else:
            _print_plan(drafted.plan)
            click.echo(f"Nothing is moved until somebody approves it: statuette policy apply {drafted.plan.id}")
    raise SystemExit(int(drafted.plan is not None))


@click.command("apply")
@click.argument("plan_id")
@click.option("--by", default="operator", show_default=True, help="Who approves it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def apply(plan_id: str, by: str, as_json: bool) -> None:
    """Approve a plan. The scheduler carries it out in batches; `statuette policy plans` shows how far it is."""
    approved = asyncio.run(_approved(plan_id, by))
    if as_json:
        _json(approved)
    else:
        click.echo(f"{approved.id} is {approved.state.value}.")


@click.command("plans")
@click.argument("brand")
@click.option("--limit", default=20, show_default=True, help="Most plans.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def plans(brand: str, limit: int, as_json: bool) -> None:
    """List plans, newest first."""
    found = asyncio.run(_listed(brand, limit))
    if as_json:
        _json(found)
        return
    for each in found:
        _print_plan(each)
    if not found:
        click.echo("There are no plans.")


@click.command("simulate")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def simulate(file: Path, as_json: bool) -> None:
    """Show what a draft of a brand file would do to the records that exist. Nothing is written.

    Exit code 0: it brings no deadline forward. 1: it does.
    """
    found = asyncio.run(_simulated(file))
    shortened = [each for each in found if each.shortened]
    if as_json:
        _json(found)
    else:
        _print_forecast(found)
        for each in shortened:
            click.echo(f"{each.rule}: {_moved(each.shortened, each.due_at_once, each.earliest, each.latest)}")
        if not shortened:
            click.echo("The draft brings no deadline forward.")
    raise SystemExit(int(bool(shortened)))


def _print_forecast(found: list[RuleForecast]) -> None:
    if not found:
        click.echo("There are no deadlines.")
        return
    rows = [
        (
            each.rule,
            *(
                str(number)
                for number in (
                    each.overdue,
                    each.within_hour,
                    each.within_day,
                    each.within_week,
                    each.later,
                    each.unarmed,
                    each.held,
                    each.stopped,
                )
            ),
        )
        for each in found
    ]
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    click.echo("Deadlines, by when they fall due:")
    for row in (_HEAD, *rows):
        rest = "  ".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        click.echo(f"{row[0].ljust(widths[0])}  {rest}")
    click.echo("")


def _print_plan(shown: PlanView) -> None:
    click.echo(f"{shown.id}  {shown.state.value}  drafted {shown.created_at:{_MOMENT}}Z by {shown.created_by}")
    if shown.approved_at is not None:
        click.echo(f"  approved {shown.approved_at:{_MOMENT}}Z by {shown.approved_by}; moved {shown.moved} so far")
    for each in shown.rules:
        click.echo(f"  {each.rule}: {_moved(each.deadlines, each.due_at_once, each.earliest, each.latest)}")


def _moved(deadlines: int, at_once: int, earliest: Any, latest: Any) -> str:
    come = "deadline comes" if deadlines == 1 else "deadlines come"
    span = (
        f"between {earliest:{_MOMENT}}Z and {latest:{_MOMENT}}Z" if earliest != latest else f"at {earliest:{_MOMENT}}Z"
    )
    return f"{deadlines} {come} earlier, {span}; {at_once} at once"


async def _drafted(slug: str, rules: tuple[str, ...], by: str) -> Drafted:
    async with _opened() as (database, plans, _, _):
        brand_id = await _brand_id(database, slug)
        return await plans.draft(brand_id, created_by=by, rules=rules, progress=_progress())


async def _approved(plan_id: str, by: str) -> PlanView:
    from statuette.kernel.enforcement.plans import brand_of

    async with _opened() as (database, plans, _, _):
        async with database.read() as reader:
            brand_id = await brand_of(reader, plan_id)
        return await plans.approve(brand_id, plan_id, approved_by=by)


async def _listed(slug: str, limit: int) -> list[PlanView]:
    from statuette.kernel.cli.opening import opened_database
    from statuette.kernel.domain.brands.service import brand_id_of
    from statuette.kernel.enforcement.plans import listed
    from statuette.kernel.settings_loading import load_settings

    async with opened_database(load_settings()) as database, database.read() as reader:
        return await listed(reader, brand_id=await brand_id_of(reader, slug), before=None, limit=limit)


async def _simulated(file: Path) -> list[RuleForecast]:
    from datetime import timedelta

    from statuette.kernel.domain.brands.flow import draft_policy
    from statuette.kernel.enforcement.forecast import NewDue, forecast

    async with _opened() as (database, _, plugins, settings):
        slug, policy = draft_policy(plugins, file)
        brand_id = await _brand_id(database, slug)
        new_due = NewDue(policy, timedelta(minutes=settings.longest_job_minutes))
        return await forecast(database, brand_id, new_due, progress=_progress())


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[Database, Plans, PluginRegistry, Settings]]:
    from datetime import timedelta

    from statuette.kernel.cli.opening import opened_database, opened_plugins
    from statuette.kernel.domain.brands.directory import BrandDirectory
    from statuette.kernel.enforcement.plans import Plans
    from statuette.kernel.settings_loading import load_settings
    from statuette.values import SystemClock

    settings = load_settings()
    async with opened_plugins(settings) as plugins, opened_database(settings) as database:
        brands = BrandDirectory(database, plugins.policy_packs, SystemClock(), plugins.all_policy_packs)
        await brands.refresh()

        async def policy_of(brand_id: str) -> Any:
            return (await brands.by_id(brand_id)).policy

        longest_job = timedelta(minutes=settings.longest_job_minutes)
        yield database, Plans(database, policy_of, longest_job), plugins, settings


async def _brand_id(database: Database, slug: str) -> str:
    from statuette.kernel.domain.brands.service import brand_id_of

    async with database.read() as reader:
        return await brand_id_of(reader, slug)


def _progress() -> Callable[[int], None]:
    """On standard error, now and then, so that a look at millions is seen to go on."""
    told = 0

    def tell(seen: int) -> None:
        nonlocal told
        if seen - told >= 100_000:
            told = seen
            click.echo(f"{seen} deadlines looked at", err=True)

    return tell


def _json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
