"""`statuette policy drill`: a synthetic account uses the site, is erased, and is looked for everywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from statuette.kernel.drill.drill import Options
    from statuette.kernel.drill.report import PlaceReport, Report, Trace

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHOWN = 20


@click.command("drill")
@click.option("--brand", "slug", help="Its slug; left out: the only brand in test mode.")
@click.option(
    "--log", "logs", multiple=True, type=_FILE, help="A file that the site logs to; may be given several times."
)
@click.option("--copy-to", help="Address of an empty PostgreSQL database for the restored copy; drop it afterwards.")
@click.option("--no-copy", is_flag=True, help="Make, restore and search no copy of the database.")
@click.option(
    "--wait", "wait_seconds", default=600.0, show_default=True, help="Longest wait for a job or the erasure, seconds."
)
@click.option("--mailbox", help="Where the canary's letters go, with a tag; left out: to the brand's own sender.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def drill(
    slug: str | None,
    logs: tuple[Path, ...],
    copy_to: str | None,
    no_copy: bool,
    wait_seconds: float,
    mailbox: str | None,
    as_json: bool,
) -> None:
    """Have a synthetic account use the site and be erased, then look for it in every place where data is.

    It works beside a site that serves, and touches nobody else's account. A brand that is live has to be named, since the order is
    a real one: its model is paid for, and gets the canary's photo.

    Exit code 0: nothing is left but what a rule lets stay. 1: something is. 2: it cannot be carried out as things are set up. 3:
    it shows nothing: a search found less than was there, a place could not be searched, or the road broke off.
    """
    from statuette.kernel.drill.drill import Options

    options = Options(tuple(logs), not no_copy, copy_to, wait_seconds, mailbox)
    report, who = asyncio.run(_carried_out(slug, options))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        _print(report, who)
    raise SystemExit(_exit_code(report))


def _exit_code(report: Report) -> int:
    from statuette.kernel.drill.report import Verdict

    if report.verdict is Verdict.leak:
        return 1
    return 0 if report.verdict in (Verdict.clean, Verdict.residual) else 3


def _print(report: Report, who: str) -> None:
    click.echo(f"Canary drill at {report.brand} ({report.mode}), {report.started_at:%Y-%m-%d %H:%M} UTC")
    click.echo(f"Policy {report.policy_digest}. The work was done by {who}.\n")
    click.echo(f"The road: {', '.join(report.steps) or 'not a step'}.")
    if report.broken is not None:
        click.echo(f"IT BROKE OFF. {report.broken} The account is being erased.")
    else:
        _print_places(report.places)
    for each in report.elsewhere:
        end = f"until {each.until:%Y-%m-%d}" if each.until else "with no stated end"
        click.echo(f"Elsewhere: {each.processor} says that it keeps {', '.join(each.categories)} {end}.")
    click.echo("\nThis does not show:")
    for line in report.not_shown:
        click.echo(f"  - {line}")
    click.echo(f"\n{_SENTENCES[report.verdict.value]}")


_SENTENCES = {
    "clean": "Nothing of the canary is left.",
    "residual": "Nothing of the canary is left but what a rule lets stay.",
    "not_searched": "THE DRILL SHOWS TOO LITTLE: a place was not searched.",
    "blind": "THE DRILL SHOWS NOTHING: what was there was not found.",
    "leak": "SOMETHING OF THE CANARY IS WHERE IT MUST NOT BE.",
}


def _print_places(places: list[PlaceReport]) -> None:
    click.echo(f"\n{'place':30} {'searched':>26} {'found before':>13} {'after':>6}  verdict")
    for each in places:
        looked = f"{each.items_after} {each.unit}, {each.bytes_after:,} bytes"
        click.echo(
            f"{each.place:30} {looked:>26} {each.found_before:>13} {each.found_after:>6}  {each.verdict.value.replace('_', ' ')}"
        )
        if each.reason is not None:
            click.echo(f"{'':4}{each.reason}")
    leaks = [(each, trace) for each in places for trace in each.leaks]
    if leaks:
        click.echo("\nMust not be there:")
        for place, trace in leaks[:_SHOWN]:
            click.echo(f"  {place.place}: {trace.what}, {_form(trace)}, in {trace.where}, {trace.count} times")
        if len(leaks) > _SHOWN:
            click.echo(f"  and {len(leaks) - _SHOWN} more; --json has all of them")
    reasons = {(trace.reason, trace.rule) for each in places for trace in each.residuals}
    if reasons:
        click.echo("\nMay stay:")
        for reason, rule in sorted(reasons, key=str):
            names = sorted({each.place for each in places for trace in each.residuals if trace.reason == reason})
            click.echo(f"  {', '.join(names)}{f' ({rule})' if rule else ''}: {reason}")


def _form(trace: Trace) -> str:
    return "as it is" if trace.form == "plain" else trace.form


async def _carried_out(slug: str | None, options: Options) -> tuple[Report, str]:
    from statuette.kernel import telemetry
    from statuette.kernel.app import any_live_brand, compose
    from statuette.kernel.clock import clock_for
    from statuette.kernel.drill.brands import brand_for
    from statuette.kernel.drill.drill import Drill
    from statuette.kernel.drill.joining import joined
    from statuette.kernel.drill.mailbox import Mailbox
    from statuette.kernel.plugins import PluginRegistry
    from statuette.kernel.settings_loading import load_settings

    settings = load_settings()
    telemetry.configure_logging(settings.log_level)
    clock = clock_for(settings.profile)
    plugins = PluginRegistry.load(settings, clock, live=await any_live_brand(settings))
    mailbox = Mailbox(plugins.mailer)
    plugins.mailers[mailbox.name] = mailbox
    platform = compose(settings, clock, plugins)
    async with joined(platform) as who:
        brand = brand_for(platform.brands, slug)
        report = await Drill(platform, brand, mailbox, _pause, options).carry_out()
    return report, who


async def _pause() -> None:
    await asyncio.sleep(0.5)
