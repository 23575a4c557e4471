"""Every extension point, on one page.

A plugin is an object named by an entry point in the group `statuette`: an instance of a subclass of
`statuette.plugin.Plugin`, whose methods marked `@hookimpl` are called as described here. First-party providers use
the same door. Hooks are called once, while the platform is put together; they do no I/O and import no vendor SDK.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from statuette.dataset import Dataset
    from statuette.plugin import PluginContext
    from statuette.policy import PolicyPack
    from statuette.ports.anchor import Anchor
    from statuette.ports.image import ImageProvider
    from statuette.ports.keys import KeyStore
    from statuette.ports.mail import Mailer
    from statuette.ports.payment import PaymentProvider
    from statuette.ports.storage import Storage
    from statuette.styles import Style

hookspec = pluggy.HookspecMarker("statuette")
hookimpl = pluggy.HookimplMarker("statuette")


@hookspec
def image_providers(context: PluginContext) -> Sequence[ImageProvider]:  # type: ignore[empty-body]
    """Image models. Return none while a required key is not set."""


@hookspec
def storages(context: PluginContext) -> Sequence[Storage]:  # type: ignore[empty-body]
    """Object stores. The setting `storage` names the one in use."""


@hookspec
def mailers(context: PluginContext) -> Sequence[Mailer]:  # type: ignore[empty-body]
    """Ways to send mail. The setting `mailer` names the one in use."""


@hookspec
def payment_providers(context: PluginContext) -> Sequence[PaymentProvider]:  # type: ignore[empty-body]
    """Payment gateways. A brand's file names the one that it sells through."""


@hookspec
def key_stores(context: PluginContext) -> Sequence[KeyStore]:  # type: ignore[empty-body]
    """Stores of data keys. The setting `key_store` names the one in use."""


@hookspec
def anchors(context: PluginContext) -> Sequence[Anchor]:  # type: ignore[empty-body]
    """Where signed heads of the evidence log are kept besides the database. All of them are used."""


@hookspec
def policy_packs() -> Sequence[PolicyPack]:  # type: ignore[empty-body]
    """Modules of catalogue and rules. The setting `policy_packs` names those in force."""


@hookspec
def styles() -> Sequence[Style]:  # type: ignore[empty-body]
    """Styles on offer. A brand's file names the ones its people see."""


@hookspec
def datasets() -> Sequence[Dataset]:  # type: ignore[empty-body]
    """Kinds of data the plugin keeps. A plugin with tables but without their datasets is refused."""


@hookspec
def routes(context: PluginContext) -> Sequence[Any]:  # type: ignore[empty-body]
    """Litestar route handlers, mounted below `/x/{plugin}`, authenticated like the rest unless marked `opt={"public": True}`."""
