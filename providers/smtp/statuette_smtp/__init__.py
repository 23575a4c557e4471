"""Mail through an SMTP server."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from statuette import ConfigurationError, Plugin, PluginContext, hookimpl
from statuette.ports.mail import Mailer

__all__ = ["SmtpConfig", "SmtpPlugin", "plugin"]


class SmtpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        host: name or address of the server; mail goes elsewhere while it is not set.
        port: 587, 465 or 25, by `security`, unless set.
        username, password: both or neither.
        security: `starttls` (refuses a server that does not offer it), `tls` from the first byte, or `none`, for a server
            on this machine only.
        certificate_authority_file: PEM file of the authority to trust instead of the system's.
        timeout_seconds: for handing over one message, from connecting to the server's last word.
        region: where the operator of the server processes data, as the privacy notice is to say it.
        terms_url: that operator's data-processing terms.
    """

    host: Annotated[str | None, msgspec.Meta(extra={"env": "SMTP_HOST"})] = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    username: Annotated[str | None, msgspec.Meta(extra={"env": "SMTP_USERNAME"})] = None
    password: Annotated[str | None, msgspec.Meta(extra={"env": "SMTP_PASSWORD", "secret": True})] = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    certificate_authority_file: str | None = None
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 20.0
    region: str = "unknown"
    terms_url: str | None = None

    def __repr__(self) -> str:  # the password never reaches a log
        return f"SmtpConfig({self.host}, {self.security})"


class SmtpPlugin(Plugin):
    name = "smtp"
    version = "0.1.0"
    requires = ">=0.1,<0.2"
    Config = SmtpConfig

    @hookimpl
    def mailers(self, context: PluginContext) -> Sequence[Mailer]:
        config: SmtpConfig = context.config
        if not config.host:
            return ()
        _refuse_contradictions(config, config.host)
        from statuette_smtp.mailer import SmtpMailer

        return (SmtpMailer(config, context.clock, greeting=_greeting(context.public_url)),)


def _refuse_contradictions(config: SmtpConfig, host: str) -> None:
    if bool(config.username) != bool(config.password):
        missing = "password (SMTP_PASSWORD)" if config.username else "username (SMTP_USERNAME)"
        raise ConfigurationError(f"The plugin smtp has no {missing}.", cure="Set both, or neither.")
    if config.security == "none" and not _is_loopback(host):
        raise ConfigurationError(
            f"The plugin smtp would send mail to {host} without encryption.",
            cure='Set `security` to "starttls" or "tls"; "none" is for a server on this machine.',
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _greeting(public_url: str) -> str:
    """What we call ourselves in EHLO (RFC 5321, 4.1.3): our public name, so that no inner host name leaks."""
    host = urlsplit(public_url).hostname or "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{'IPv6:' if address.version == 6 else ''}{address}]"


plugin = SmtpPlugin()
