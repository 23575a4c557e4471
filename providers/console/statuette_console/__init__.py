"""Mail to the terminal, for development."""

from __future__ import annotations

from collections.abc import Sequence

from statuette import Plugin, PluginContext, hookimpl
from statuette.ports.mail import Mailer
from statuette_console.mailer import ConsoleMailer

__all__ = ["ConsoleMailer", "ConsolePlugin", "plugin"]


class ConsolePlugin(Plugin):
    name = "console"
    version = "0.1.0"
    requires = ">=0.1,<0.2"

    @hookimpl
    def mailers(self, context: PluginContext) -> Sequence[Mailer]:
        return (ConsoleMailer(),)


plugin = ConsolePlugin()
