"""What the commands of the cluster profile begin with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any

import click

from statuette.errors import ConfigurationError
from statuette.kernel.cli.memory import give_back_large_buffers
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import Settings


def of_cluster(command: str) -> Settings:
    """The settings and the logging of a process. Raises `ConfigurationError` in the embedded profile."""
    from statuette.kernel import telemetry
    from statuette.kernel.settings_loading import load_settings

    settings = load_settings()
    if settings.profile != "cluster":
        raise ConfigurationError(
            f"`statuette {command}` is for the profile `cluster`; in `embedded`, `statuette serve` does everything.",
            cure="Set STATUETTE_PROFILE=cluster.",
        )
    telemetry.configure_logging(settings.log_level)
    return settings


def observe(platform: Platform, role: str) -> None:
    """Send this process's traces and metrics, if its settings say where to."""
    from statuette.kernel import telemetry

    telemetry.configure(
        otlp_endpoint=platform.settings.otlp_endpoint,
        otlp_headers=platform.settings.otlp_headers,
        sampling=platform.settings.trace_sampling,
        role=role,
        process_id=platform.presence.id,
    )


def run(
    settings: Settings,
    role: str,
    main: Callable[[Platform], Coroutine[Any, Any, None]],
    plugins: PluginRegistry | None = None,
) -> None:
    """Compose the platform and run until asked to stop; then end, whatever threads may still hang on a broken connection."""
    import uvloop

    from statuette.kernel.app import any_live_brand, compose

    async def composed() -> None:
        platform = compose(settings, plugins=plugins, live=await any_live_brand(settings))
        observe(platform, role)
        await main(platform)

    give_back_large_buffers()
    uvloop.run(composed())
    sys.stderr.flush()


def ready(platform: Platform, what: str) -> None:
    """Say, for people and supervisors, that the process is at work."""
    click.echo(f"{what} ready: {platform.presence.id}", err=True)
