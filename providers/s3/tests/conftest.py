"""Two stores not written by us, over real HTTP: moto's server, and SeaweedFS, which checks signatures."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import boto3
import httpx
import msgspec
import pytest

from statuette.testing.fault_proxy import FaultProxy
from statuette.testing.servers.s3 import S3Access, S3Server
from statuette.testing.servers.seaweedfs import SeaweedServer
from statuette.values import SystemClock
from statuette_s3 import S3Config
from statuette_s3.storage import S3Storage

from .middleman import Middleman

BUCKET, VERSIONED, KEYS = "objects", "versioned", "data-keys"
_prefixes = (f"test{n}/" for n in itertools.count())


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Access]:
    with S3Server() as server:
        _make_buckets(server)
        yield server.access


@pytest.fixture(scope="session")
def seaweed_server() -> Iterator[SeaweedServer]:
    with SeaweedServer() as server:
        _make_buckets(server)
        yield server


@pytest.fixture(scope="session")
def seaweed(seaweed_server: SeaweedServer) -> S3Access:
    return seaweed_server.access


def _make_buckets(server: S3Server | SeaweedServer) -> None:
    server.create_bucket(BUCKET)
    server.create_bucket(VERSIONED, versioned=True)
    server.create_bucket(KEYS, versioned=True)


@pytest.fixture
def own_folder() -> str:
    """Each test has a folder of its own in the bucket, so it starts with an empty store."""
    return next(_prefixes)


def config_for(access: S3Access, prefix: str, bucket: str = BUCKET, **settings: Any) -> S3Config:
    return S3Config(
        **{
            "bucket": bucket,
            "endpoint": access.url,
            "region": access.region,
            "access_key_id": access.access_key_id,
            "secret_access_key": access.secret_access_key,
            "prefix": prefix,
            "timeout_seconds": 20.0,
            **settings,
        }
    )


OpenStorage = Callable[..., S3Storage]


@pytest.fixture
async def open_storage(own_folder: str) -> AsyncIterator[OpenStorage]:
    """`open_storage(access, bucket, **settings)`: a store that is closed after the test."""
    opened: list[S3Storage] = []

    def open_one(access: S3Access, bucket: str = BUCKET, **settings: Any) -> S3Storage:
        opened.append(S3Storage(config_for(access, own_folder, bucket, **settings), SystemClock()))
        return opened[-1]

    yield open_one
    for storage in opened:
        await storage.aclose()


@pytest.fixture
async def proxy(seaweed_server: SeaweedServer) -> AsyncIterator[FaultProxy]:
    """In front of SeaweedFS. Signatures hold: it is the client's Host header that is signed, and it passes unchanged."""
    async with FaultProxy(seaweed_server.port) as proxy:
        yield proxy


def through(between: FaultProxy | Middleman, access: S3Access) -> S3Access:
    """The same store, reached through what stands in front of it."""
    url = f"http://127.0.0.1:{between.port}" if isinstance(between, FaultProxy) else between.url
    return msgspec.structs.replace(access, url=url)


def raw_client(access: S3Access) -> Any:
    """S3 as it is, without our code, to look at what is really there."""
    return boto3.client(
        "s3",
        endpoint_url=access.url,
        region_name=access.region,
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=access.secret_access_key,
    )


def raw_history(access: S3Access, bucket: str, prefix: str) -> tuple[list[str], list[str], list[str]]:
    """Keys of the versions, of the delete markers, and of the unfinished uploads below `prefix`."""
    client = raw_client(access)
    found = client.list_object_versions(Bucket=bucket, Prefix=prefix)
    uploads = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
    client.close()
    versions, markers = found.get("Versions", []), found.get("DeleteMarkers", [])
    return tuple(  # type: ignore[return-value]
        [one["Key"].removeprefix(prefix) for one in group if one["Key"].startswith(prefix)]
        for group in (versions, markers, uploads)
    )


async def fetch(method: str, url: str) -> httpx.Response:
    """Without credentials."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, url)


@pytest.fixture
async def middleman(seaweed: S3Access) -> AsyncIterator[Middleman]:
    """In front of SeaweedFS."""
    async with Middleman(seaweed.url) as middleman:
        yield middleman


@pytest.fixture
async def middleman_of_moto(moto: S3Access) -> AsyncIterator[Middleman]:
    """In front of moto, where headers may be changed, since it checks no signature."""
    async with Middleman(moto.url) as middleman:
        yield middleman
