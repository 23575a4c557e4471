"""A collector of OpenTelemetry not written by us: it takes traces and metrics from processes and passes them on."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from statuette.testing.servers.process import ServerFailed, ServerProcess, free_port


class CollectorServer(ServerProcess):
    """`rotel` (https://github.com/streamfold/rotel), from the package of that name. Keeps nothing: what was not passed on is lost.

    Args:
        forward_to: base address of a receiver, OTLP over HTTP.
    """

    title = "Rotel"

    def __init__(self, forward_to: str) -> None:
        super().__init__()
        self._forward_to = forward_to
        self._grpc_port = 0

    @property
    def url(self) -> str:
        """What `otlp_endpoint` is set to."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self._grpc_port = free_port()

    def command(self) -> Sequence[str | Path]:
        return [
            *_found_libraries(),
            _program(),
            "start",
            f"--otlp-http-endpoint=127.0.0.1:{self.port}",
            f"--otlp-grpc-endpoint=127.0.0.1:{self._grpc_port}",
            "--exporter=otlp",
            "--otlp-exporter-protocol=http",
            f"--otlp-exporter-endpoint={self._forward_to}",
            f"--pid-file={self.folder / 'pid'}",
            f"--log-file={self.folder / 'log'}",
        ]

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/v1/traces", timeout=5):  # noqa: S310 - our own address
                return True
        except HTTPError:  # it answers, if only that this is no way to ask
            return True
        except (URLError, ConnectionError):
            return False


def _found_libraries() -> list[str]:
    """It is linked with the interpreter's library, which need not be where the system looks."""
    if sys.platform != "linux":
        return []
    return ["/usr/bin/env", f"LD_LIBRARY_PATH={sysconfig.get_config_var('LIBDIR')}"]


def _program() -> Path:
    # Looked for, not imported: the package reads its configuration when imported.
    package = importlib.util.find_spec("rotel")
    if package is not None and package.origin is not None:
        return Path(package.origin).with_name("rotel-agent")
    raise ServerFailed("No collector was found.", cure="Install it: `pip install rotel`.")
