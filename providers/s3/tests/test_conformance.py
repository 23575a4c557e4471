"""The suite of the storage port over both stores, versioned and not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from statuette.ports.storage import Storage
from statuette.testing.servers.s3 import S3Access
from statuette.testing.storage_suite import StorageSuite
from statuette.values import Clock
from statuette_s3.storage import S3Storage

from .conftest import BUCKET, VERSIONED, OpenStorage, fetch


class OnBothKinds(StorageSuite):
    @pytest.fixture(params=[BUCKET, VERSIONED])
    def bucket(self, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    async def fetch(self, storage: Storage, method: str, url: str) -> tuple[int, Mapping[str, str], bytes]:
        response = await fetch(method, url)
        return response.status_code, response.headers, response.content


class TestOnSeaweed(OnBothKinds):
    """It checks signatures and expiry, so everything that the suite asks is asked here, but one thing: in a bucket without
    versions it lists folder by folder, so that `2/y` comes before `2-x`. S3 promises the order of bytes."""

    @pytest.fixture
    async def storage(self, open_storage: OpenStorage, seaweed: S3Access, bucket: str) -> S3Storage:
        storage = open_storage(seaweed, bucket)
        await storage.check()
        return storage

    async def test_a_list_is_in_key_order_and_keeps_to_its_prefix(self, storage: Storage) -> None:
        """Here, without versions: that nothing is missing, foreign or told twice. With versions: all of it."""
        if storage.capabilities.versioned:
            await super().test_a_list_is_in_key_order_and_keeps_to_its_prefix(storage)
            return
        inside = ["suite/a/b/2", "suite/a/b/2-x", "suite/a/b/2.x", "suite/a/b/2/y", "suite/a/b/z/z/z"]
        for key in [*inside, "suite/a/b", "suite/a/bc/1", "suite/a/b-/1", "suite/a/b.c/1"]:
            await storage.put(key, key.encode(), media_type="image/jpeg")

        found = [info async for info in storage.list("suite/a/b/")]

        assert sorted(info.key for info in found) == sorted(inside)
        assert all([await storage.head(info.key) == info for info in found])


class TestOnMoto(OnBothKinds):
    """It believes every signature and never lets one expire: what becomes of those is seen on SeaweedFS alone."""

    @pytest.fixture
    async def storage(self, open_storage: OpenStorage, moto: S3Access, bucket: str) -> S3Storage:
        storage = open_storage(moto, bucket)
        await storage.check()
        return storage

    async def test_a_signed_address_opens_the_object_until_it_expires(self, storage: Storage, clock: Clock) -> None:
        """Here: that it opens the object, as the type asked for."""
        await storage.put("suite/s/a.jpg", b"picture", media_type="image/png")
        url = storage.signed_url(
            "suite/s/a.jpg", media_type="image/jpeg", expires_at=clock.now() + timedelta(minutes=1)
        )
        assert url is not None

        status, headers, received = await self.fetch(storage, "GET", url)

        assert (status, headers["content-type"], received) == (200, "image/jpeg", b"picture")

    async def test_a_signed_address_allows_nothing_but_reading_that_object(
        self, storage: Storage, clock: Clock
    ) -> None:
        """Here: that the address names one object and no other way to use it."""
        url = storage.signed_url("suite/s/a", media_type="image/jpeg", expires_at=clock.now() + timedelta(minutes=1))

        assert url is not None
        assert url.partition("?")[0].endswith("/suite/s/a")
        assert "X-Amz-SignedHeaders=host&" in url
