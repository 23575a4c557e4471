"""Trying a bucket out before anything depends on it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

from statuette import ConfigurationError
from statuette.ports.storage import ObjectExists
from statuette_s3.bucket import Bucket, ObjectChanged
from statuette_s3.failures import Misconfigured
from statuette_s3.versions import Versions

_FOLDER = "statuette-check/"
_TYPE = "application/octet-stream"


async def try_out(bucket: Bucket, versions: Versions) -> None:
    """Write, read, list, delete and purge an object of no meaning, as the platform will; it leaves nothing behind.

    Raises:
        ConfigurationError: a key, a permission, the region, the bucket, the clock or the store itself is not as it has to be.
        StorageUnavailable: the store fails.
    """
    key = f"{_FOLDER}{os.urandom(16).hex()}"
    with as_configuration_errors():
        etag = await bucket.put(key, b"first", media_type=_TYPE, if_absent=True)
        try:
            await _write_on_conditions(bucket, key, etag)
            await bucket.head(key)
            async for _ in bucket.pages(_FOLDER):
                pass
        finally:
            await bucket.delete([key])
            await asyncio.to_thread(versions.purge, key)


async def _write_on_conditions(bucket: Bucket, key: str, etag: str) -> None:
    """Raises `ConfigurationError` if the store writes although a condition does not hold."""
    try:
        await bucket.put(key, b"second", media_type=_TYPE, if_absent=True)
    except ObjectExists:
        pass
    else:
        raise _ignores("If-None-Match", bucket)
    await bucket.put(key, b"third", media_type=_TYPE, if_etag=etag)
    try:
        await bucket.put(key, b"fourth", media_type=_TYPE, if_etag=etag)
    except ObjectChanged:
        pass
    else:
        raise _ignores("If-Match", bucket)


@contextmanager
def as_configuration_errors() -> Iterator[None]:
    """What only the operator can change ends the start instead of being tried again."""
    try:
        yield
    except Misconfigured as error:
        raise ConfigurationError(error.detail, cure=error.cure, **error.attributes) from None


def _ignores(header: str, bucket: Bucket) -> ConfigurationError:
    return ConfigurationError(
        f"The object store of the plugin {bucket.config.plugin} ignores the header {header}: what must be written once "
        "would be written twice.",
        cure="Use a store with conditional writes: AWS S3, MinIO, Ceph from version 19, SeaweedFS, Cloudflare R2.",
    )
