"""`statuette policy diff`: what is different between two policies, and what each difference asks for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from statuette.kernel.cli.policy_brands import Opened
    from statuette.kernel.domain.brands.directory import LoadedBrand
    from statuette.policy.diff import Comparison
    from statuette.policy.document import PolicyDocument

_CLASSES = ("editorial", "notify", "ask_again")
_MEANS = {
    "initial": "There is nothing to compare with.",
    "editorial": "Other words for the same: nobody has to be told.",
    "notify": "People are to be told.",
    "ask_again": "People are to be told, and those who had agreed are to be asked again",
}


@click.command("diff")
@click.argument("old", metavar="A", default="published")
@click.argument("new", metavar="B", default="in-use")
@click.option("--brand", "slug", help="Its slug; left out: the only brand there is.")
@click.option(
    "--fail-on",
    type=click.Choice(_CLASSES),
    default="editorial",
    show_default=True,
    help="The least change that ends with exit code 1.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def diff(old: str, new: str, slug: str | None, fail_on: str, as_json: bool) -> None:
    """Compare two policies, and class the change as editorial, notify or ask again.

    A and B are each: `published` (the newest version), a version's number, `in-use` (what this installation does), a brand file
    (`brands/demo.toml`), or a file of `statuette policy render --format json`. Exit code 0: no such change. 1: there is one.
    """
    found = asyncio.run(_compared(old, new, slug))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _print(found)
    changed = bool(found.differences) and found.change.weight >= 1 + _CLASSES.index(fail_on)
    raise SystemExit(int(changed))


def _print(found: Comparison) -> None:
    if not found.differences:
        click.echo("Nothing is different.")
        return
    for each in sorted(found.differences, key=lambda each: (-each.change.weight, each.path)):
        click.echo(f"{each.change.value.replace('_', ' '):10} {each.path}")
        for sign, value in (("-", each.old), ("+", each.new)):
            if value is not None:
                click.echo(f"           {sign} {_shown(value)}")
    asks = f": {', '.join(found.asks)}." if found.asks else ""
    click.echo(f"\n{found.change.value.replace('_', ' ')}: {_MEANS[found.change.value]}{asks}")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    import msgspec

    return msgspec.json.encode(value).decode()


async def _compared(old: str, new: str, slug: str | None) -> Comparison:
    from statuette.kernel.cli.policy_brands import chosen, opened_brands
    from statuette.policy.diff import compare

    async with opened_brands() as opened:
        brand = chosen(opened.brands, slug) if _needs_brand(old) or _needs_brand(new) else None
        return compare(await _document(old, opened, brand), await _document(new, opened, brand))


def _needs_brand(name: str) -> bool:
    return name in ("published", "in-use") or name.isdigit()


async def _document(name: str, opened: Opened, brand: LoadedBrand | None) -> PolicyDocument:
    from statuette.kernel.domain.notices import service
    from statuette.kernel.domain.notices.papers import in_use
    from statuette.policy.document import document

    if brand is not None and name == "in-use":
        return document(in_use(brand, opened.plugins))
    if brand is not None and _needs_brand(name):
        async with opened.database.read() as reader:
            return await service.document_of(reader, brand.id, None if name == "published" else int(name))
    return _of_file(Path(name), opened)


def _of_file(path: Path, opened: Opened) -> PolicyDocument:
    from statuette.errors import ConfigurationError

    if not path.is_file():
        raise ConfigurationError(
            f"{str(path)!r} is no policy to compare.",
            cure="Use `published`, `in-use`, a version's number, a brand file, or a file of `statuette policy render`.",
        )
    return _of_brand_file(path, opened) if path.suffix == ".toml" else _of_json(path)


def _of_brand_file(path: Path, opened: Opened) -> PolicyDocument:
    from statuette.kernel.domain.brands.flow import check_files
    from statuette.policy import compile_policy
    from statuette.policy.document import document

    (read,), _ = check_files(opened.plugins, [path])
    packs = opened.plugins.packs_with(read.config.policy_packs)
    config = read.config
    return document(compile_policy(packs, read.choices(), offered=config.purposes, options=config.options))


def _of_json(path: Path) -> PolicyDocument:
    import msgspec

    from statuette.errors import ConfigurationError
    from statuette.policy.document import PolicyDocument

    try:
        read = msgspec.json.decode(path.read_bytes())
        inner = read.get("policy", read) if isinstance(read, dict) else read
        return msgspec.convert(inner, PolicyDocument)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"{path.name} is not a policy: {error}.", cure="Make one with `statuette policy render --format json`."
        ) from None
