"""`statuette serve`: the whole platform in one process, or an API process of the cluster."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from statuette.errors import ConfigurationError

if TYPE_CHECKING:
    from statuette.kernel.platform import Platform
    from statuette.kernel.settings import Settings


@click.command("serve")
@click.option("--keys-file", type=click.Path(path_type=Path), default=None, help="Name this file in the banner.")
def serve(keys_file: Path | None) -> None:
    """Serve the API until stopped; in the embedded profile also do the work and keep the deadlines."""
    from statuette.kernel import telemetry
    from statuette.kernel.settings_loading import load_settings

    settings = load_settings()
    telemetry.configure_logging(settings.log_level)
    if settings.profile == "cluster":
        from statuette.kernel.cli import serving
        from statuette.kernel.cli.process import run

        run(settings, "api", serving.serve)
    else:
        _serve_everything(settings, keys_file)


def _serve_everything(settings: Settings, keys_file: Path | None) -> None:
    with only_process(settings.data_dir):
        import uvicorn

        from statuette.kernel.app import any_live_brand, compose
        from statuette.kernel.cli.process import observe
        from statuette.kernel.http.application import http_app

        platform = compose(settings, live=asyncio.run(any_live_brand(settings)))
        observe(platform, "everything")
        with listening(settings.host, settings.port) as sockets:
            _banner(platform, keys_file)
            config = uvicorn.Config(
                http_app(platform),
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,
                timeout_graceful_shutdown=int(settings.stop_seconds),
                h11_max_incomplete_event_size=65_536,
                lifespan="on",
            )
            server = uvicorn.Server(config)
            # uvicorn has shut down in order by the time it hands a signal on: having been told to stop is no failure.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[sockets])
            if not server.started:
                sys.exit(1)


@contextmanager
def only_process(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock. Raises ConfigurationError when another process has it."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"Another process serves from {data_dir}.",
                cure="Stop it, or give this one a folder of its own with STATUETTE_DATA_DIR.",
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket, taken before anything else starts, so that a taken port is found out early."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle off only for sockets that say they are TCP: 40 ms a request.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            bound.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"The address {host}:{port} cannot be used: {error.strerror}.",
                cure="Free it, or set STATUETTE_PORT to another.",
            ) from None
        yield bound
    finally:
        bound.close()


def _banner(platform: Platform, keys_file: Path | None) -> None:
    url = platform.settings.public_url
    lines = [f"API            {url}/v1"]
    if platform.settings.docs_enabled:
        lines.append(f"Documentation  {url}/docs")
    if keys_file is not None:
        lines.append(f"Keys           {keys_file}")
    lines.append(f"Data           {platform.settings.data_dir.resolve()}")
    lines.extend(f"Left out       {entry.name}: {entry.message}" for entry in platform.plugins.quarantined)
    click.echo("\n".join(lines), err=True)


command = serve
