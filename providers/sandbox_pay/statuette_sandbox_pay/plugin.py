"""The entry point: a payment gateway on this machine, and its pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from statuette.hookspecs import hookimpl
from statuette.plugin import Plugin, PluginContext
from statuette.ports.payment import PaymentProvider


class SandboxPayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings in the table `plugins.sandbox_pay`.

    Attributes:
        events_url: where events are posted, without the brand; the platform's own address for them unless set.
        event_secret: signs events; derived from the platform's master key unless set.
    """

    events_url: str | None = None
    event_secret: Annotated[
        str | None, msgspec.Meta(min_length=16, extra={"env": "SANDBOX_PAY_EVENT_SECRET", "secret": True})
    ] = None

    def __repr__(self) -> str:
        return f"SandboxPayConfig({self.events_url})"


class SandboxPayPlugin(Plugin):
    name = "sandbox_pay"
    version = "0.1.0"
    requires = ">=0.1,<0.2"
    Config = SandboxPayConfig

    @hookimpl
    def payment_providers(self, context: PluginContext) -> Sequence[PaymentProvider]:
        from statuette_sandbox_pay.gateway import SandboxGateway
        from statuette_sandbox_pay.provider import SandboxPay

        config: SandboxPayConfig = context.config
        gateway = SandboxGateway(
            context.data_dir / "books.db",
            context.clock,
            context.public_url,
            config.event_secret.encode() if config.event_secret else context.master_key,
            deliver_to=config.events_url or f"{context.public_url}/v1/payment-events/sandbox_pay",
        )
        return [SandboxPay(gateway)]


plugin = SandboxPayPlugin()
