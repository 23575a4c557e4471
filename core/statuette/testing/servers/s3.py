"""An S3 emulator: moto's server, in processes of its own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import msgspec

from statuette.testing.servers.process import ServerProcess

_DOOR = Path(__file__).with_name("s3_door.py")
_REGION = "us-east-1"
# moto reads region and service out of it and believes the rest.
_AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential=statuette/20260101/{_REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
)
_VERSIONED = (
    b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status>'
    b"</VersioningConfiguration>"
)


class S3Access(msgspec.Struct, frozen=True):
    """How to reach a store, by path-style addresses."""

    url: str
    region: str
    access_key_id: str
    secret_access_key: str


class _Moto(ServerProcess):
    """The emulator itself. It checks neither signatures nor expiry, and keeps everything in memory."""

    title = "Moto"
    stop_signal = signal.SIGKILL  # an orderly end waits for its clients, and there is nothing that it could save

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Nothing."""

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    def is_ready(self) -> bool:
        return _answers(self.url)


class S3Server(ServerProcess):
    """moto behind a door: `stop`, `kill` and `pause` are done to the door, so objects outlive them."""

    title = "S3"

    def __init__(self) -> None:
        super().__init__()
        self._moto = _Moto()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def access(self) -> S3Access:
        return S3Access(self.url, _REGION, "statuette", "statuette-secret")

    def create_bucket(self, name: str, *, versioned: bool = False) -> None:
        """Raises `urllib.error.HTTPError` if the name is not valid or taken."""
        _put(f"{self.url}/{name}", b"")
        if versioned:
            _put(f"{self.url}/{name}?versioning", _VERSIONED)

    def prepare(self) -> None:
        self._moto.__enter__()

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-I", _DOOR, str(self.port), str(self._moto.port)]

    def is_ready(self) -> bool:
        return _answers(self.url)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._moto.close()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/moto-api/", timeout=5):  # noqa: S310 - our own address
            return True
    except URLError:
        return False


def _put(url: str, body: bytes) -> None:
    headers = {"Authorization": _AUTHORIZATION, "Content-Type": "application/xml"}
    with urlopen(Request(url, body, headers, method="PUT")):  # noqa: S310 - our own address
        pass
