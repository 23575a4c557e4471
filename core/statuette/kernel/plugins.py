"""Finds, checks and holds the plugins of a deployment.

Only names on the allow-list are looked at. Whatever goes wrong with one plugin puts that one into quarantine, whole:
none of what it brings is used. Where the settings name it as the store, mailer or key store in use, that is an error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from importlib.metadata import EntryPoint
from typing import Any, TypeVar

import msgspec
import pluggy

import statuette
from statuette import hookspecs
from statuette.dataset import Dataset
from statuette.errors import ConfigurationError
from statuette.kernel.contribution import Contribution, HookFailure, gather
from statuette.kernel.domain.styles.check import check_style
from statuette.kernel.master_key import derived, master_key
from statuette.kernel.plugin_config import build_config, secrets_of
from statuette.kernel.quarantine import (
    PluginAmbiguous,
    PluginMalformed,
    PluginNameTaken,
    PluginNotInstalled,
    Quarantined,
    check_plugin,
    quarantined,
)
from statuette.kernel.settings import Settings
from statuette.plugin import Plugin, PluginContext
from statuette.policy import PolicyPack
from statuette.policy.providers import pack_of
from statuette.ports.anchor import Anchor
from statuette.ports.image import ImageProvider, ModelInfo
from statuette.ports.keys import KeyStore
from statuette.ports.mail import Mailer
from statuette.ports.payment import PaymentProvider
from statuette.ports.processor import Processor
from statuette.ports.storage import Storage
from statuette.styles import Style
from statuette.values import Clock

GROUP = "statuette"
_log = logging.getLogger(__name__)
_Named = TypeVar("_Named")


class LoadedPlugin(msgspec.Struct, frozen=True):
    """A plugin in use."""

    name: str
    version: str
    distribution: str
    offers: tuple[str, ...]
    module: str = ""


class PluginRegistry:
    """What the plugins of this process offer, by name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._taken: dict[tuple[str, str], str] = {}
        self.loaded: list[LoadedPlugin] = []
        self.quarantined: list[Quarantined] = []
        self.image_providers: dict[str, ImageProvider] = {}
        self.storages: dict[str, Storage] = {}
        self.mailers: dict[str, Mailer] = {}
        self.payment_providers: dict[str, PaymentProvider] = {}
        self.key_stores: dict[str, KeyStore] = {}
        self.anchors: dict[str, Anchor] = {}
        self.all_policy_packs: dict[str, PolicyPack] = {}
        self.styles: dict[str, dict[int, Style]] = {}
        self.datasets: dict[str, Dataset] = {}
        self.routes: dict[str, tuple[Any, ...]] = {}

    @classmethod
    def load(
        cls,
        settings: Settings,
        clock: Clock,
        entry_points: Iterable[EntryPoint] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        live: bool = False,
    ) -> PluginRegistry:
        """Load every allowed plugin and check that what the settings choose is there.

        Raises:
            ConfigurationError: a chosen store, mailer, key store or policy pack is not there; says why.
        """
        registry = cls.survey(settings, clock, entry_points, environment=environment, live=live)
        _ = registry.storage, registry.journal_storage, registry.mailer, registry.key_store, registry.policy_packs
        return registry

    @classmethod
    def survey(
        cls,
        settings: Settings,
        clock: Clock,
        entry_points: Iterable[EntryPoint] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        live: bool = False,
    ) -> PluginRegistry:
        """Like `load`, without minding what the settings choose: for looking at what is wrong."""
        registry = cls(settings)
        found = list(metadata.entry_points(group=GROUP) if entry_points is None else entry_points)
        key = master_key(settings)
        for name in dict.fromkeys(settings.allowed_plugins):
            registry._admit(name, found, clock, key, os.environ if environment is None else environment, live)
        return registry

    def _admit(
        self,
        name: str,
        entry_points: list[EntryPoint],
        clock: Clock,
        key: bytes,
        environment: Mapping[str, str],
        live: bool,
    ) -> None:
        stage = "find"
        secrets: list[str] = []
        plugin: Plugin | None = None
        try:
            entry_point = _only(name, entry_points)
            stage = "import"
            imported = entry_point.load()
            stage = "check"
            plugin = check_plugin(imported, entry_point, statuette.__version__)
            stage = "configure"
            table = self._settings.plugin_tables.get(name)
            secrets = secrets_of(plugin.Config, table, environment)
            config = build_config(name, plugin.Config, table, environment)
            context = PluginContext(
                config=config,
                data_dir=self._settings.data_dir / "plugins" / name,
                clock=clock,
                public_url=self._settings.public_url,
                master_key=derived(key, f"plugin:{name}"),
                live=live,
            )
            stage = "register"
            self._register(plugin)
            brought = gather(self._manager, plugin, context, check_style)
            self._take(name, brought)
        except HookFailure as failure:
            self._keep_out(plugin, quarantined(name, failure.hook, failure.__cause__ or failure, secrets))
        except (Exception, SystemExit) as error:
            self._keep_out(plugin, quarantined(name, stage, error, secrets))
        else:
            self.loaded.append(
                LoadedPlugin(name, plugin.version, _distribution(entry_point), _offers(brought), entry_point.module)
            )

    def _register(self, plugin: Plugin) -> None:
        self._manager.register(plugin, name=plugin.name)
        for caller in self._manager.get_hookcallers(plugin) or ():
            if not caller.has_spec():
                raise PluginMalformed(f"There is no hook `{caller.name}`.", cure="See docs/reference/hooks.md.")

    def _take(self, name: str, brought: Contribution) -> None:
        for taken in brought.names():
            if taken in self._taken:
                raise PluginNameTaken(
                    f"The {taken[0]} {taken[1]!r} is offered by the plugin {self._taken[taken]!r} too."
                )
        self._taken |= dict.fromkeys(brought.names(), name)
        self.image_providers |= {provider.name: provider for provider in brought.image_providers}
        self.storages |= {store.name: store for store in brought.storages}
        self.mailers |= {mailer.name: mailer for mailer in brought.mailers}
        self.payment_providers |= {provider.name: provider for provider in brought.payment_providers}
        self.key_stores |= {store.name: store for store in brought.key_stores}
        self.anchors |= {anchor.name: anchor for anchor in brought.anchors}
        self.all_policy_packs |= {pack.name: pack for pack in brought.policy_packs}
        self.datasets |= {dataset.name: dataset for dataset in brought.datasets}
        for style in brought.styles:
            self.styles.setdefault(style.slug, {})[style.version] = style
        if brought.routes:
            self.routes[name] = brought.routes

    def owners(self) -> Mapping[tuple[str, str], str]:
        """Which plugin brought what, by kind and name: `("policy pack", "baseline")`."""
        return self._taken

    def _keep_out(self, plugin: Plugin | None, entry: Quarantined) -> None:
        if plugin is not None and self._manager.is_registered(plugin):
            self._manager.unregister(plugin)
        self.quarantined.append(entry)
        _log.info("plugin_quarantined", extra={"plugin": entry.name, "stage": entry.stage, "code": entry.code})

    @property
    def storage(self) -> Storage:
        return self._chosen("storage", self._settings.storage, self.storages)

    @property
    def journal_storage(self) -> Storage:
        """Where the erasure journal is."""
        name = self._settings.journal_storage
        return self.storage if name is None else self._chosen("journal_storage", name, self.storages)

    @property
    def key_store(self) -> KeyStore:
        return self._chosen("key_store", self._settings.key_store, self.key_stores)

    @property
    def mailer(self) -> Mailer:
        name = self._settings.mailer
        if name == "auto":
            # A broken `smtp` must not turn into mail that nobody gets: only one that is not set up makes way.
            broken = any(entry.name == "smtp" and entry.stage != "find" for entry in self.quarantined)
            name = "smtp" if "smtp" in self.mailers or broken else "console"
        return self._chosen("mailer", name, self.mailers)

    @property
    def policy_packs(self) -> tuple[PolicyPack, ...]:
        """Those in force for every brand; the last says who receives data: the providers themselves declare it."""
        chosen = [self._chosen("policy_packs", name, self.all_policy_packs) for name in self._settings.policy_packs]
        return (*chosen, pack_of(self._processors()))

    def packs_with(self, names: Iterable[str]) -> tuple[PolicyPack, ...]:
        """Those in force for a brand that names more. Raises `ConfigurationError` for one that no plugin offers."""
        packs = self.policy_packs
        for name in names:
            pack = self.all_policy_packs.get(name)
            if pack is None:
                raise ConfigurationError(
                    f"No loaded plugin offers the policy pack {name!r}.",
                    cure=f"On offer: {', '.join(sorted(self.all_policy_packs)) or 'none'}.",
                )
            packs = (*packs, pack) if pack not in packs else packs
        return packs

    def processors(self) -> tuple[Processor, ...]:
        """Who receives data in this process, by id; several providers of one vendor are one."""
        return pack_of(self._processors()).catalogue.processors

    def _processors(self) -> list[Processor]:
        chosen: list[Storage | Mailer] = []
        with suppress(ConfigurationError):  # what is missing is said by whoever needs it
            chosen.append(self.storage)
        with suppress(ConfigurationError):
            chosen.append(self.mailer)
        return [
            provider.processor
            for provider in (*self.image_providers.values(), *self.payment_providers.values(), *chosen)
        ]

    def _chosen(self, setting: str, name: str, offered: Mapping[str, _Named]) -> _Named:
        if name in offered:
            return offered[name]
        source = self._settings.source(setting)
        reasons = [entry for entry in self.quarantined if entry.name == name] or self.quarantined
        why = " ".join(f"The plugin {entry.name!r} is kept out ({entry.stage}): {entry}" for entry in reasons)
        raise ConfigurationError(
            f"The setting `{setting}` ({source}) names {name!r}, which no loaded plugin offers. {why}".rstrip(),
            cure=f"On offer: {', '.join(sorted(offered)) or 'none'}.",
        )

    def models(self) -> dict[str, ModelInfo]:
        """Every model on offer as `provider/model`."""
        return {
            f"{name}/{model.id}": model
            for name, provider in self.image_providers.items()
            for model in provider.models()
        }

    def provider_of(self, name: str) -> tuple[ImageProvider, ModelInfo] | None:
        """Provider and model behind `provider/model`, or behind a bare model id that only one provider has."""
        provider_name, slash, model_id = name.partition("/")
        if not slash:
            provider_name, model_id = "", name
        found = [
            (provider, model)
            for known, provider in self.image_providers.items()
            if known == provider_name or not slash
            for model in provider.models()
            if model.id == model_id
        ]
        return found[0] if len(found) == 1 else None

    def model(self, name: str) -> ModelInfo | None:
        found = self.provider_of(name)
        return found[1] if found is not None else None

    def style(self, slug: str, version: int) -> Style:
        """A style as a job was ordered with it. Raises `ConfigurationError` when its plugin is gone."""
        try:
            return self.styles[slug][version]
        except KeyError:
            raise ConfigurationError(
                f"No loaded plugin offers version {version} of the style {slug!r}.", cure="See `statuette plugins`."
            ) from None

    def latest_style(self, slug: str) -> Style | None:
        versions = self.styles.get(slug)
        return versions[max(versions)] if versions else None

    async def aclose(self) -> None:
        """Close what the plugins opened; one that fails does not keep the others open."""
        opened: list[ImageProvider | Storage | Mailer | PaymentProvider | KeyStore | Anchor] = [
            *self.image_providers.values(),
            *self.storages.values(),
            *self.mailers.values(),
            *self.payment_providers.values(),
            *self.key_stores.values(),
            *self.anchors.values(),
        ]
        for part in opened:
            try:
                await part.aclose()
            except Exception as error:
                _log.warning("plugin_close_failed", extra={"part": part.name, "error": type(error).__name__})


def _only(name: str, entry_points: list[EntryPoint]) -> EntryPoint:
    """The entry point of that name. Two distributions with the same one are an accident or an attack."""
    same = [entry_point for entry_point in entry_points if entry_point.name == name]
    if not same:
        raise PluginNotInstalled(
            f"No installed distribution offers the plugin {name!r}.",
            cure="Install it, or take it off `allowed_plugins`.",
        )
    if len({(_distribution(entry_point), entry_point.value) for entry_point in same}) > 1:
        names = ", ".join(sorted(_distribution(entry_point) for entry_point in same))
        raise PluginAmbiguous(f"The plugin {name!r} is offered by several distributions: {names}.", cure="Keep one.")
    return same[0]


def _distribution(entry_point: EntryPoint) -> str:
    return f"{entry_point.dist.name} {entry_point.dist.version}" if entry_point.dist is not None else "unknown"


def _offers(brought: Contribution) -> tuple[str, ...]:
    names = [f"{kind} {name}" for kind, name in brought.names()]
    return (*names, f"{len(brought.routes)} routes") if brought.routes else tuple(names)
