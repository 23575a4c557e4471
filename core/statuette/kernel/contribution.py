"""Everything one plugin brings, asked of its hooks and checked before any of it is put to use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pluggy

from statuette.dataset import Dataset
from statuette.errors import ConfigurationError
from statuette.plugin import Plugin, PluginContext
from statuette.policy import PolicyPack
from statuette.policy.validity import check_pack
from statuette.ports.anchor import Anchor
from statuette.ports.image import ImageProvider
from statuette.ports.keys import KeyStore
from statuette.ports.mail import Mailer
from statuette.ports.payment import PaymentProvider
from statuette.ports.storage import Storage
from statuette.styles import Style

_KINDS: dict[str, type] = {
    "image_providers": ImageProvider,
    "storages": Storage,
    "mailers": Mailer,
    "payment_providers": PaymentProvider,
    "key_stores": KeyStore,
    "anchors": Anchor,
    "policy_packs": PolicyPack,
    "styles": Style,
    "datasets": Dataset,
    "routes": object,  # Litestar takes functions and classes alike; it checks them when the application is put together
}


class HookFailure(Exception):
    """A hook raised, or answered something it must not. The cause is in `__cause__`."""

    def __init__(self, hook: str) -> None:
        self.hook = hook
        super().__init__(hook)


class Contribution(msgspec.Struct, frozen=True):
    """What the hooks of one plugin answered."""

    image_providers: tuple[ImageProvider, ...] = ()
    storages: tuple[Storage, ...] = ()
    mailers: tuple[Mailer, ...] = ()
    payment_providers: tuple[PaymentProvider, ...] = ()
    key_stores: tuple[KeyStore, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    policy_packs: tuple[PolicyPack, ...] = ()
    styles: tuple[Style, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    routes: tuple[Any, ...] = ()

    def names(self) -> list[tuple[str, str]]:
        """Every name it takes, with its kind; no two plugins may take the same."""
        taken = [("image provider", provider.name) for provider in self.image_providers]
        taken += [("object store", store.name) for store in self.storages]
        taken += [("mailer", mailer.name) for mailer in self.mailers]
        taken += [("payment provider", provider.name) for provider in self.payment_providers]
        taken += [("key store", store.name) for store in self.key_stores]
        taken += [("anchor", anchor.name) for anchor in self.anchors]
        taken += [("policy pack", pack.name) for pack in self.policy_packs]
        taken += [("style", f"{style.slug} v{style.version}") for style in self.styles]
        taken += [("dataset", dataset.name) for dataset in self.datasets]
        return taken


def gather(
    manager: pluggy.PluginManager, plugin: Plugin, context: PluginContext, check_style: Callable[[Style], None]
) -> Contribution:
    """Call every hook of `plugin`, one after the other.

    Raises:
        HookFailure: the first hook that failed.
    """
    answers: dict[str, tuple[Any, ...]] = {}
    for hook, kind in _KINDS.items():
        implementation = next(
            (one for one in getattr(manager.hook, hook).get_hookimpls() if one.plugin is plugin), None
        )
        if implementation is None:
            continue
        try:
            arguments = [context for name in implementation.argnames if name == "context"]
            answers[hook] = _checked(implementation.function(*arguments), kind)
            _look_closer(hook, answers[hook], check_style)
        except (Exception, SystemExit) as error:
            raise HookFailure(hook) from error
    return Contribution(**answers)


def _checked(answer: Any, kind: type) -> tuple[Any, ...]:
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise ConfigurationError(f"It answers {type(answer).__name__} where a sequence is due.")
    for item in answer:
        if not isinstance(item, kind):
            raise ConfigurationError(f"It answers {type(item).__name__} where {kind.__name__} is due.")
    return tuple(answer)


def _look_closer(hook: str, answer: tuple[Any, ...], check_style: Callable[[Style], None]) -> None:
    if hook == "styles":
        for style in answer:
            check_style(style)
    if hook == "policy_packs":
        for pack in answer:
            check_pack(pack)
    if hook == "image_providers":
        for provider in answer:
            ids = [model.id for model in provider.models()]
            if len(set(ids)) != len(ids):
                raise ConfigurationError(f"The image provider {provider.name!r} lists a model twice.")
