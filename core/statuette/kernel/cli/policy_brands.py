"""What commands about a brand's policy open, and which brand they mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.cli.opening import opened_database, opened_plugins
from statuette.kernel.db.database import Database
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import Settings
from statuette.kernel.settings_loading import load_settings
from statuette.values import Clock, SystemClock


class Opened(msgspec.Struct, frozen=True):
    settings: Settings
    plugins: PluginRegistry
    database: Database
    brands: BrandDirectory


class _At(SystemClock):
    """A clock that says another day, so that packs of that day are in force."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


@asynccontextmanager
async def opened_brands(moment: datetime | None = None) -> AsyncIterator[Opened]:
    """The brands of this deployment, with the policies that are in force at a moment; None: now."""
    settings = load_settings()
    clock: Clock = SystemClock() if moment is None else _At(moment)
    async with opened_plugins(settings) as plugins, opened_database(settings) as database:
        brands = BrandDirectory(database, plugins.policy_packs, clock, plugins.all_policy_packs)
        await brands.refresh()
        yield Opened(settings, plugins, database, brands)


def chosen(brands: BrandDirectory, slug: str | None) -> LoadedBrand:
    """The brand of that slug, or the only one. Raises `ConfigurationError`, which names those there are."""
    loaded = {brand.slug: brand for brand in brands.loaded()}
    if slug is None and len(loaded) == 1:
        return next(iter(loaded.values()))
    if slug in loaded:
        return loaded[slug]
    what = "Which brand is meant?" if slug is None else f"There is no brand {slug!r}."
    names = ", ".join(sorted(loaded)) or "none; apply a file with `statuette brand apply`"
    raise ConfigurationError(what, cure=f"Name one with --brand. There are: {names}.")
