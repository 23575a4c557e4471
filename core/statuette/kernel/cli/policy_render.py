"""`statuette policy render`: the notice and the other papers of a brand, from the policy in force."""

from __future__ import annotations

import asyncio
from typing import Any

import click

_PAPERS = ("notice", "record", "agreement", "processors", "retention")


@click.command("render")
@click.option("--brand", "slug", help="Its slug; left out: the only brand there is.")
@click.option("--paper", type=click.Choice(_PAPERS), default="notice", show_default=True, help="Which one.")
@click.option("--format", "form", type=click.Choice(("md", "html", "json")), default="md", show_default=True)
@click.option("--locale", default=None, help="en or de; left out: the brand's.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def render(slug: str | None, paper: str, form: str, locale: str | None, as_json: bool) -> None:
    """Render a paper of a brand to standard output.

    notice: what people read. record: record of processing (GDPR Art. 30). agreement: data processing agreement (Art. 28).
    processors: who receives data, and what changed. retention: what ends when. As JSON the notice has the policy itself with it,
    which `statuette policy diff` reads.
    """
    click.echo(asyncio.run(_rendered(slug, paper, "json" if as_json else form, locale)), nl=False)


async def _rendered(slug: str | None, kind: str, form: str, locale: str | None) -> str:
    from statuette.kernel.app import compose
    from statuette.kernel.cli.policy_brands import chosen, opened_brands
    from statuette.kernel.domain.notices.papers import changes_of, held_in, in_use, issuer
    from statuette.policy import papers
    from statuette.policy.document import document
    from statuette.policy.notice import as_html, as_markdown, notice
    from statuette.policy.words import LOCALES

    async with opened_brands() as opened:
        brand = chosen(opened.brands, slug)
        language = locale or next(
            (tag for tag in (brand.config.locale, brand.config.locale.partition("-")[0]) if tag in LOCALES), "en"
        )
        policy = in_use(brand, opened.plugins)
        if kind == "notice":
            told = notice(policy, issuer(brand.config), language)
            if form == "json":
                return _json({"notice": told, "policy": document(policy)})
            return as_markdown(told) if form == "md" else as_html(told)
        async with opened.database.read() as reader:
            changes = await changes_of(reader, brand.id)
        made = papers.paper(
            papers.PaperKind(kind),
            policy,
            issuer(brand.config),
            [held_in(each) for each in compose(opened.settings, plugins=opened.plugins).datasets.values()],
            changes=changes,
            locale=language,
        )
    if form == "json":
        return _json(made)
    return papers.as_markdown(made) if form == "md" else papers.as_html(made)


def _json(value: Any) -> str:
    import msgspec

    from statuette.policy.canonical import encode

    return msgspec.json.format(encode(value)).decode() + "\n"
