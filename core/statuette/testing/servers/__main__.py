"""Start the servers for a terminal: `python -m statuette.testing.servers [--only postgres,redis,s3]`.

Prints a line of shell for every address and credential, then keeps the servers until SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal

from statuette.testing.servers.postgres import PostgresServer
from statuette.testing.servers.redis import RedisServer
from statuette.testing.servers.s3 import S3Server

_KINDS = ("postgres", "redis", "s3")
_BUCKETS = {"S3": "statuette-objects", "S3_KEYS": "statuette-keys"}  # by the prefix of their settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m statuette.testing.servers", description="Servers for development.")
    parser.add_argument("--only", type=_kinds, default=_KINDS, help="some of postgres,redis,s3")
    kinds = parser.parse_args().only
    # Blocked before the first server, so that no signal is lost between its start and the wait.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with contextlib.ExitStack() as running:
        for kind in kinds:
            for name, value in _started(kind, running).items():
                print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 - a command speaks to its terminal
        signal.sigwait(signals)


def _started(kind: str, running: contextlib.ExitStack) -> dict[str, str]:
    """Start one; what a client needs, as environment variables."""
    if kind == "postgres":
        return {"DATABASE_URL": running.enter_context(PostgresServer()).url}
    if kind == "redis":
        return {"REDIS_URL": running.enter_context(RedisServer()).url}
    s3 = running.enter_context(S3Server())
    exports = {}
    for prefix, bucket in _BUCKETS.items():
        s3.create_bucket(bucket, versioned=True)
        exports[f"{prefix}_URL"] = s3.url
        exports[f"{prefix}_BUCKET"] = bucket
        exports[f"{prefix}_REGION"] = s3.access.region
        exports[f"{prefix}_ACCESS_KEY_ID"] = s3.access.access_key_id
        exports[f"{prefix}_SECRET_ACCESS_KEY"] = s3.access.secret_access_key
    return exports


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    if unknown := set(kinds) - set(_KINDS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return kinds


if __name__ == "__main__":
    main()
