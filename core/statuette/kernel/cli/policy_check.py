"""`statuette policy check`: whether everything kept has a class, every class an end, every rule an enforcer, a sentence, a test."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from statuette.kernel.data_map.report import Report


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check(as_json: bool) -> None:
    """Look for gaps between what is stored, what the packs say and what the code does, plugins included.

    Every pack on offer is looked at, whether a brand names it or not. Exit code 0: no gap. 1: some, each named.
    """
    report = asyncio.run(_report())
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        _print(report)
    raise SystemExit(int(bool(report.problems)))


def _print(report: Report) -> None:
    looked = report.looked_at
    click.echo(
        f"Looked at {looked.columns} columns, {looked.prefixes} object prefixes, {looked.cache_keys} keys in Redis,"
        f" {looked.attributes} telemetry attributes, {looked.categories} categories and {looked.rules} rules."
    )
    for missed in report.not_looked_at:
        click.echo(f"Not looked at: {missed}")
    for gap, problems in groupby(report.problems, key=lambda problem: problem.gap):
        click.echo(f"\n{gap.value.replace('_', ' ')}")
        for each in problems:
            where = f" ({each.where})" if each.where else ""
            click.echo(f"  {each.subject} [{each.owner}]{where}")
            click.echo(f"      {each.message} {each.cure}")
    if report.by_hand:
        click.echo("\ncarried out by hand, where a brand names the pack")
        for rule in report.by_hand:
            click.echo(f"  {rule.rule} [{rule.pack}]")
    count = len(report.problems)
    click.echo(f"\n{count} {'gap' if count == 1 else 'gaps'}." if count else "\nNo gaps.")


async def _report() -> Report:
    from statuette.kernel.app import compose
    from statuette.kernel.cli.opening import opened_database, opened_plugins
    from statuette.kernel.data_map.check import check as checked
    from statuette.kernel.data_map.gathering import subject
    from statuette.kernel.settings_loading import load_settings

    settings = load_settings()
    async with opened_plugins(settings) as plugins, opened_database(settings) as database:
        datasets = compose(settings, plugins=plugins).datasets
        return checked(await subject(settings, plugins, database, datasets))
