"""Everything that a bucket keeps, as the bucket itself tells it: what was to be purged would be seen here.

Written apart from `versions`, which purges, so that an error of one is not the error of both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from typing import Any

from statuette.ports.storage import StorageUnavailable, StoredVersion, VersionKind
from statuette_s3.config import BucketConfig
from statuette_s3.versions import new_client

_GONE = ("NoSuchKey", "NoSuchVersion", "404")


class History:
    """The whole of one bucket below its prefix."""

    def __init__(self, config: BucketConfig) -> None:
        self._config = config

    async def everything(self) -> AsyncIterator[StoredVersion]:
        """Page by page. Raises `StorageUnavailable`."""
        client = await asyncio.to_thread(new_client, self._config)
        with closing(client):
            marker: dict[str, Any] = {}
            while True:
                page = await asyncio.to_thread(self._ask, client.list_object_versions, marker)
                for found in page.get("Versions", ()):
                    yield self._version(found, VersionKind.current if found["IsLatest"] else VersionKind.earlier)
                for found in page.get("DeleteMarkers", ()):
                    yield self._version(found, VersionKind.marker)
                if not page.get("IsTruncated"):
                    break
                marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
            for found in (await asyncio.to_thread(self._ask, client.list_multipart_uploads, {})).get("Uploads", ()):
                if found["Key"].startswith(self._config.prefix):
                    yield self._named(found["Key"], VersionKind.unfinished, found["UploadId"], found["Initiated"])

    def read(self, found: StoredVersion) -> bytes | None:
        """Blocks. None when it has gone. Raises `StorageUnavailable`."""
        from botocore.exceptions import BotoCoreError, ClientError

        with closing(new_client(self._config)) as client:
            try:
                answer = client.get_object(
                    Bucket=self._config.bucket, Key=self._config.prefix + found.key, VersionId=found.version
                )
                data: bytes = answer["Body"].read()
            except ClientError as error:
                if error.response["Error"].get("Code") in _GONE:
                    return None
                raise StorageUnavailable("The bucket does not give a version that it told of.") from None
            except BotoCoreError:
                raise StorageUnavailable() from None
        return data

    def _ask(self, call: Any, more: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            page: dict[str, Any] = call(Bucket=self._config.bucket, Prefix=self._config.prefix, **more)
        except (BotoCoreError, ClientError):
            raise StorageUnavailable("The bucket does not tell what it keeps.") from None
        return page

    def _version(self, found: dict[str, Any], kind: VersionKind) -> StoredVersion:
        return self._named(found["Key"], kind, found["VersionId"], found["LastModified"])

    def _named(self, key: str, kind: VersionKind, version: str, modified_at: datetime) -> StoredVersion:
        return StoredVersion(key.removeprefix(self._config.prefix), kind, version, modified_at)
