"""Trying a bucket out before anything depends on it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from statuette import ConfigurationError
from statuette.ports.storage import ObjectExists, ObjectInfo
from statuette_s3.bucket import Bucket, ObjectChanged
from statuette_s3.failures import Misconfigured
from statuette_s3.versions import Versions

_FOLDER = "statuette-check/"
_TYPE = "application/octet-stream"
# Much longer than a check takes, as that of another process may be under way.
_ABANDONED_AFTER = timedelta(hours=1)


async def try_out(bucket: Bucket, versions: Versions, *, abandoned_after: timedelta = _ABANDONED_AFTER) -> None:
    """Write, read, list, delete and purge an object of no meaning, as the platform will.

    It leaves nothing behind, and removes what checks left behind that were killed.

    Raises:
        ConfigurationError: a key, a permission, the region, the bucket, the clock or the store itself is not as it has to be.
        StorageUnavailable: the store fails.
    """
    key = f"{_FOLDER}{os.urandom(16).hex()}"
    with as_configuration_errors():
        etag = await bucket.put(key, b"first", media_type=_TYPE, if_absent=True)
        try:
            await _write_on_conditions(bucket, key, etag)
            if (ours := await bucket.head(key)) is not None:
                await _remove_abandoned(bucket, ours, abandoned_after)
        finally:
            await bucket.delete([key])
            # Of every check: what is hidden, or hides it, is of no use to those that are under way.
            await asyncio.to_thread(versions.purge, _FOLDER)


async def _remove_abandoned(bucket: Bucket, ours: ObjectInfo, after: timedelta) -> None:
    """By the clock of the store alone."""
    async for page in bucket.pages(_FOLDER):
        if abandoned := [found.key for found in page if ours.modified_at - found.modified_at > after]:
            await bucket.delete(abandoned)


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
