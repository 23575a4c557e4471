"""Shares of a server that may serve other tests too: a Redis database, a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import redis

from statuette.testing.servers import S3Access, database_at

_LEASE_SECONDS = 3600
_LEASE = "statuette-tests:database:{}"


@contextmanager
def leased_redis(server_url: str) -> Iterator[str]:
    """The address of a database that was empty and is emptied again. Who has which is written in the one that is named."""
    with redis.Redis.from_url(server_url) as ledger:
        for number in range(1, int(ledger.config_get("databases")["databases"])):
            url = database_at(server_url, str(number))
            if not ledger.set(_LEASE.format(number), "taken", nx=True, ex=_LEASE_SECONDS):
                continue
            try:
                with redis.Redis.from_url(url) as share:
                    if share.dbsize() > 0:
                        continue
                    try:
                        yield url
                    finally:
                        share.flushdb()
                    return
            finally:
                ledger.delete(_LEASE.format(number))
    raise AssertionError("Every database of this Redis is in use. Empty one, or unset REDIS_URL.")


@contextmanager
def temporary_bucket(server: S3Access) -> Iterator[str]:
    """The name of a new bucket, removed with all that is in it, versions included."""
    import boto3  # slow, and most runs need no bucket

    name = f"statuette-test-{uuid4().hex}"
    session = boto3.Session(server.access_key_id, server.secret_access_key, region_name=server.region)
    bucket = session.resource("s3", endpoint_url=server.url).Bucket(name)
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": server.region}}
    bucket.create(**({} if server.region == "us-east-1" else elsewhere))
    try:
        yield name
    finally:
        bucket.object_versions.delete()
        bucket.delete()
