"""`statuette policy explain`: why a record, or a rule, lasts as long as it does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from statuette.kernel.data_map.explanation import RecordExplained, RuleExplained

_MOMENT = "%Y-%m-%d %H:%M:%S UTC"


@click.command("explain")
@click.argument("subject", metavar="ID")
@click.option("--at", "moment", help="Another moment than now: 2026-12-24 or 2026-12-24T18:00:00Z.")
@click.option("--brand", "slug", help="Its slug, for a rule; left out: the only brand there is.")
@click.option("--locale", default="en", show_default=True, help="The language of sentences.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def explain(subject: str, moment: str | None, slug: str | None, locale: str, as_json: bool) -> None:
    """Explain a record (upl_…, fig_…, acc_…) or a rule (upload.used).

    Of a record: each of its deadlines, what armed it or would, and which ends it. Of a rule: what is in force, and who says so,
    with file and line. Exit code 2: there is no such thing.
    """
    found = asyncio.run(_explained(subject, _moment(moment), slug, locale))
    if as_json:
        import msgspec

        from statuette.policy.canonical import encode

        click.echo(msgspec.json.format(encode(found)).decode())
        return
    from statuette.kernel.data_map.explanation import RecordExplained

    if isinstance(found, RecordExplained):
        _print_record(found)
    else:
        _print_rule(found)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("is no moment; write 2026-12-24 or 2026-12-24T18:00:00Z", param_hint="--at") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _print_record(found: RecordExplained) -> None:
    click.echo(f"{found.id} ({found.dataset} of {found.brand}), at {found.at:{_MOMENT}}")
    if found.ends_at is None:
        click.echo("  Nothing ends it: no deadline of it is armed.")
    elif found.visible:
        click.echo(f"  It is there, and ends at {found.ends_at:{_MOMENT}} by {found.ended_by}.")
    else:
        click.echo(f"  Nobody can read it any more: {found.ended_by} ended it at {found.ends_at:{_MOMENT}}.")
    for each in found.deadlines:
        due = f"due {each.due_at:{_MOMENT}}" if each.due_at is not None else "not armed"
        click.echo(f"\n  {each.rule}: {due}, {each.state}")
        if each.armed_at is not None:
            click.echo(f"      armed at {each.armed_at:{_MOMENT}}")
        if each.waits_for:
            click.echo(f"      waits for: {', '.join(each.waits_for)}")
        if each.held_by is not None:
            click.echo(f"      held by {each.held_by}")
        if each.sentence:
            click.echo(f"      {each.sentence}")
        click.echo(f"      policy {each.policy_digest}")


def _print_rule(found: RuleExplained) -> None:
    click.echo(f"{found.id}, in force for {found.brand} (policy {found.digest})")
    click.echo(f"  {found.sentence}")
    click.echo("\n  In force")
    _print_facts(found.in_force)
    for claim in found.claims:
        click.echo(f"\n  {claim.source}")
        _print_facts(claim.says)
    click.echo(f"\n  Keeps the promises: {', '.join(found.promises) or 'none'}")
    click.echo(f"  Carried out by: {', '.join(found.enforcers) or 'nothing'}")
    for test in found.tests or ("none",):
        click.echo(f"  Test: {test}")


def _print_facts(rule: dict[str, object]) -> None:
    from statuette.kernel.data_map.explanation import facts_of

    for name, value in facts_of(rule):
        click.echo(f"      {name}: {value}")


async def _explained(
    subject: str, moment: datetime | None, slug: str | None, locale: str
) -> RecordExplained | RuleExplained:
    import statuette.kernel.app  # noqa: F401 - what carries rules out says so when it is imported
    from statuette.kernel.cli.policy_brands import chosen, opened_brands
    from statuette.kernel.data_map.explanation import explain_record, explain_rule

    async with opened_brands(moment) as opened:
        if "." not in subject:
            async with opened.database.read() as reader:
                return await explain_record(reader, subject, opened.brands.loaded(), at=moment, locale=locale)
        brand = chosen(opened.brands, slug)
        return explain_rule(
            subject,
            brand=brand.slug,
            policy=brand.policy,
            packs=[
                pack
                for pack in opened.plugins.packs_with(brand.config.policy_packs)
                if moment is None or pack.in_force(moment.date())
            ],
            choices=brand.config.choices(),
            locale=locale,
        )
