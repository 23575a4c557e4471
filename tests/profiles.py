"""The profiles that every integration test runs on: where a platform keeps its things, apart from those of other tests."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import redis

from statuette.kernel.settings import PluginTable
from statuette.kernel.toml_source import parse_toml
from statuette.testing.servers import S3Access
from tests.isolation import temporary_bucket

ProfileName = Literal["embedded", "cluster"]
PROFILES: tuple[ProfileName, ...] = ("embedded", "cluster")


@dataclass(frozen=True)
class Profile:
    """Where a platform keeps its things. Two sites on one profile are the same deployment: before and after a restart, say.

    Attributes:
        settings: what the profile sets besides the database.
        bucket: where the objects are, unless they are in the local store.
        key_bucket: where the data keys are, unless they are in a local folder.
    """

    name: ProfileName
    database_url: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    bucket: Bucket | None = None
    key_bucket: Bucket | None = None


@dataclass(frozen=True)
class Bucket:
    """The part of a versioned bucket below `prefix`, seen without the platform's help."""

    client: Any
    name: str
    prefix: str

    def keys(self) -> list[str]:
        """Of everything that there is, earlier versions and what hides them included."""
        return sorted({found["Key"].removeprefix(self.prefix) for found in self._versions()})

    def contents(self) -> dict[str, bytes]:
        """What can be read now, by key."""
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=self.prefix).get("Contents", ())
        keys = [each["Key"] for each in found]
        read = {key: self.client.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys}
        return {key.removeprefix(self.prefix): data for key, data in read.items()}

    def fill(self, objects: Mapping[str, bytes]) -> None:
        for key, data in objects.items():
            self.client.put_object(Bucket=self.name, Key=self.prefix + key, Body=data)

    def empty(self) -> None:
        if versions := [{"Key": found["Key"], "VersionId": found["VersionId"]} for found in self._versions()]:
            self.client.delete_objects(Bucket=self.name, Delete={"Objects": versions})

    def _versions(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=self.prefix)
        return [found for page in pages for kind in ("Versions", "DeleteMarkers") for found in page.get(kind, ())]


def embedded(database_url: str) -> Profile:
    """One process on SQLite, or on any other database, with everything else in its folder and its memory."""
    return Profile("embedded", database_url)


@dataclass(frozen=True)
class Buckets:
    """What the profiles of a run share of a store: a bucket for objects and one for data keys."""

    access: S3Access
    client: Any
    objects: str
    keys: str

    @classmethod
    @contextmanager
    def on(cls, access: S3Access) -> Iterator[Buckets]:
        import boto3  # slow, and most runs need no bucket

        session = boto3.Session(access.access_key_id, access.secret_access_key, region_name=access.region)
        client = session.client("s3", endpoint_url=access.url)
        with temporary_bucket(access) as objects, temporary_bucket(access) as keys:
            for name in (objects, keys):
                client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            yield cls(access, client, objects, keys)
        client.close()


@contextmanager
def cluster(database_url: str, redis_url: str, buckets: Buckets) -> Iterator[Profile]:
    """What processes share, in a part of each server that is this profile's own and is emptied in the end."""
    name = f"test-{uuid4().hex}"
    objects, keys = (Bucket(buckets.client, bucket, f"{name}/") for bucket in (buckets.objects, buckets.keys))
    settings = {
        "profile": "cluster",
        "redis_url": redis_url,
        "redis_namespace": name,
        "master_key": base64.b64encode(os.urandom(32)).decode(),
        "storage": "s3",
        "key_store": "s3_keys",
        "plugin_tables": _tables(buckets.access, s3=objects, s3_keys=keys),
    }
    try:
        yield Profile("cluster", database_url, settings, objects, keys)
    finally:
        objects.empty()
        keys.empty()
        with redis.Redis.from_url(redis_url) as client:
            for key in client.scan_iter(f"{name}:*", count=1000):
                client.delete(key)


def _tables(access: S3Access, **parts: Bucket) -> dict[str, PluginTable]:
    source = parse_toml(
        "".join(
            f"[plugins.{plugin}]\n"
            f'bucket = "{part.name}"\n'
            f'prefix = "{part.prefix}"\n'
            f'endpoint = "{access.url}"\n'
            f'region = "{access.region}"\n'
            f'access_key_id = "{access.access_key_id}"\n'
            f'secret_access_key = "{access.secret_access_key}"\n'
            for plugin, part in parts.items()
        ),
        "profile.toml",
    )
    return {plugin: PluginTable(plugin, source) for plugin in parts}
