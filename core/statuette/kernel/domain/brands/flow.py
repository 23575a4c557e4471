"""Applying brand files: all are read and checked first, then all are written, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.domain.brands import service
from statuette.kernel.domain.brands.changes import Change
from statuette.kernel.domain.brands.file import ReadBrand, read_brand, wrong
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.toml_source import did_you_mean
from statuette.policy import Carry, EffectivePolicy, PolicyPack, Retain, compile_policy


class Applied(msgspec.Struct, frozen=True):
    """What applying did, or with `dry_run` would do. `unchanged` names the brands that were so already."""

    changes: list[Change]
    unchanged: list[str]
    warnings: list[str]
    dry_run: bool


class _NothingWritten(Exception):
    """Ends a transaction that was only to be tried."""


def brand_files(places: Sequence[Path], brands_dir: Path) -> list[Path]:
    """The files meant: those named, those in folders named, or else all of `brands_dir`. Raises `ConfigurationError`."""
    files: list[Path] = []
    for place in places or [brands_dir] * brands_dir.is_dir():
        files += sorted(place.glob("*.toml")) if place.is_dir() else [place]
    if not files:
        raise ConfigurationError(f"There is no brand file in {brands_dir}.", cure="Write one: brands/<slug>.toml.")
    return files


async def apply_brands(
    database: Database, registry: PluginRegistry, files: Sequence[Path], *, dry_run: bool
) -> Applied:
    """Apply every file or none.

    Raises:
        ConfigurationError: something is wrong with any of them; nothing was written.
    """
    brands, warnings = check_files(registry, files)
    found: list[Change] = []

    async def apply(tx: Transaction) -> None:
        found.clear()
        for brand in brands:
            await service.release_hosts(tx, brand.config)
        for brand in brands:
            found.extend(await service.apply(tx, brand.config, brand.source.at("hosts")))
        if dry_run:
            raise _NothingWritten

    with suppress(_NothingWritten):
        await database.run(apply)
    changed = {change.brand for change in found}
    unchanged = [brand.config.slug for brand in brands if brand.config.slug not in changed]
    return Applied(found, unchanged, warnings, dry_run)


def check_files(registry: PluginRegistry, files: Sequence[Path]) -> tuple[list[ReadBrand], list[str]]:
    """Read every file and check each against the plugins and against the others; returns warnings too."""
    brands = [read_brand(path, _credits_of(registry)) for path in files]
    _check_unique(brands)
    warnings: list[str] = []
    for brand in brands:
        packs = _packs(brand, registry)
        _check_purposes(brand, packs)
        _policy(packs, brand)
        warnings += _check_models(brand, registry)
    return brands, warnings


def draft_policy(registry: PluginRegistry, file: Path) -> tuple[str, EffectivePolicy]:
    """The slug of a brand file, and the policy that it would put in force. Raises `ConfigurationError`."""
    brand = read_brand(file, _credits_of(registry))
    packs = _packs(brand, registry)
    _check_purposes(brand, packs)
    return brand.config.slug, _policy(packs, brand)


def _policy(packs: Sequence[PolicyPack], brand: ReadBrand) -> EffectivePolicy:
    config = brand.config
    return compile_policy(packs, brand.choices(), offered=config.purposes, options=config.options)


def _credits_of(registry: PluginRegistry) -> Callable[[str], int | None]:
    def credits_of(slug: str) -> int | None:
        style = registry.latest_style(slug)
        return style.credits if style is not None else None

    return credits_of


def _check_unique(brands: Sequence[ReadBrand]) -> None:
    slugs: dict[str, ReadBrand] = {}
    hosts: dict[str, ReadBrand] = {}
    for brand in brands:
        slug = brand.config.slug
        if (other := slugs.setdefault(slug, brand)) is not brand:
            raise wrong(brand.source, ("slug",), f"{other.source.at('slug')} is called {slug!r} too.")
        for position, host in enumerate(brand.config.hosts):
            if (other := hosts.setdefault(host, brand)) is not brand:
                place = other.source.at("hosts", other.config.hosts.index(host))
                raise wrong(
                    brand.source,
                    ("hosts", position),
                    f"The host {host!r} belongs to the brand {other.config.slug!r} ({place}).",
                    "Take it out of one of the two files.",
                )


def _check_purposes(brand: ReadBrand, packs: Sequence[PolicyPack]) -> None:
    optional = {purpose.id for pack in packs for purpose in pack.catalogue.purposes if purpose.optional}
    for position, name in enumerate(brand.config.purposes):
        if name not in optional:
            raise wrong(
                brand.source,
                ("purposes", position),
                f"{name!r} is no purpose that can be offered.",
                did_you_mean(name, sorted(optional), what="purpose"),
            )


def _packs(brand: ReadBrand, registry: PluginRegistry) -> tuple[PolicyPack, ...]:
    """Those of the deployment and those that the brand names. Raises for one that is not on offer."""
    for position, name in enumerate(brand.config.policy_packs):
        if name not in registry.all_policy_packs:
            raise wrong(
                brand.source,
                ("policy_packs", position),
                f"No loaded plugin offers the policy pack {name!r}.",
                did_you_mean(name, registry.all_policy_packs, what="policy pack"),
            )
        # The sweeper looks at rows of all brands at once, so it could not do more for one of them.
        pack = registry.all_policy_packs[name]
        swept = [rule.id for rule in pack.rules if isinstance(rule, Retain) and rule.carry is Carry.sweep]
        if swept and pack not in registry.policy_packs:
            raise wrong(
                brand.source,
                ("policy_packs", position),
                f"The policy pack {name!r} has the rule {swept[0]!r}, which is carried out for all brands at once.",
                "Name the pack in the setting `policy_packs`.",
            )
    return registry.packs_with(brand.config.policy_packs)


def _check_models(brand: ReadBrand, registry: PluginRegistry) -> list[str]:
    """Warnings for models that are not on offer now. Raises when none is, or when one is paid in another currency."""
    warnings: list[str] = []
    config, source = brand.config, brand.source
    for position, name in enumerate(config.models):
        model = registry.model(name)
        if model is None:
            warnings.append(f"{source.at('models', position)}: The model {name!r} is not on offer and is passed over.")
            continue
        cost = model.worst_case_cost
        if cost.micros and cost.currency != config.daily_cost_ceiling.currency:
            raise wrong(
                source,
                ("daily_cost_ceiling", "currency"),
                f"The model {name!r} is paid in {cost.currency}, so no ceiling in another currency can hold it.",
            )
    if len(warnings) == len(config.models):
        raise wrong(
            source,
            ("models",),
            "None of these models is on offer.",
            did_you_mean(config.models[0], registry.models(), what="model"),
        )
    return warnings
