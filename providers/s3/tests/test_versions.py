"""What deleting leaves behind in a bucket with versions, and what becomes of it."""

from __future__ import annotations

import asyncio

import pytest

from statuette.ports.storage import StorageUnavailable, StoredVersion
from statuette.testing.servers.s3 import S3Access
from statuette.testing.wire import WireRequest

from .conftest import BUCKET, VERSIONED, OpenStorage, raw_client, raw_history, through
from .middleman import Answer, Middleman, said

TYPE = "image/jpeg"


@pytest.fixture(params=["seaweed", "moto"])
def access(request: pytest.FixtureRequest) -> S3Access:
    found: S3Access = request.getfixturevalue(request.param)
    return found


def begin_upload(access: S3Access, bucket: str, key: str) -> None:
    """An upload in parts that nobody will finish."""
    client = raw_client(access)
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)
    client.upload_part(Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"half a photo")
    client.close()


@pytest.mark.parametrize("bucket", [BUCKET, VERSIONED])
async def test_a_purge_removes_versions_markers_and_parts_below_its_prefix_and_nothing_else(
    open_storage: OpenStorage, access: S3Access, bucket: str, own_folder: str
) -> None:
    # Given objects that were replaced, deleted, deleted twice and brought back, and unfinished uploads
    storage = open_storage(access, bucket)
    for key in ("u/1/replaced", "u/1/deleted", "u/1/back", "u/10/deleted"):
        for body in (b"one", b"two"):
            await storage.put(key, body, media_type=TYPE)
    await storage.delete_many(["u/1/deleted", "u/1/back", "u/10/deleted"])
    await storage.delete_many(["u/1/deleted"])
    await storage.put("u/1/back", b"three", media_type=TYPE)
    for key in ("u/1/unfinished", "u/10/unfinished"):
        begin_upload(access, bucket, own_folder + key)

    told = [each async for each in storage.history()]
    assert _by_kind(told) == _as_seen(*raw_history(access, bucket, own_folder))
    first = next(each for each in reversed(told) if each.key == "u/1/replaced")
    assert await storage.read_version(first) == (b"one" if bucket == VERSIONED else b"two")

    removed = await storage.purge_versions("u/1/")

    assert _by_kind([each async for each in storage.history()]) == _as_seen(*raw_history(access, bucket, own_folder))
    assert bucket == BUCKET or await storage.read_version(first) is None
    versions, markers, uploads = raw_history(access, bucket, own_folder)
    kept = [] if bucket == BUCKET else ["u/10/deleted", "u/10/deleted"]
    assert sorted(versions) == ["u/1/back", "u/1/replaced", *kept]
    assert markers == ([] if bucket == BUCKET else ["u/10/deleted"])
    assert uploads == ["u/10/unfinished"]
    # versions: replaced 1, deleted 2, back 2; markers: deleted 1 or 2, back 1; uploads: 1
    assert removed in ((1,) if bucket == BUCKET else (8, 9))
    assert await storage.read("u/1/back") == b"three"
    assert await storage.read("u/1/replaced") == b"two"
    assert await storage.purge_versions("u/1/") == 0


def _by_kind(told: list[StoredVersion]) -> dict[str, list[str]]:
    kinds = {"earlier": "current"}
    found: dict[str, list[str]] = {"current": [], "marker": [], "unfinished": []}
    for each in told:
        found[kinds.get(each.kind.value, each.kind.value)].append(each.key)
    return {kind: sorted(keys) for kind, keys in found.items()}


def _as_seen(versions: list[str], markers: list[str], uploads: list[str]) -> dict[str, list[str]]:
    return {"current": sorted(versions), "marker": sorted(markers), "unfinished": sorted(uploads)}


@pytest.mark.parametrize("page_size", [1, 2, 3, 5, 100])
async def test_markers_go_after_the_versions_that_they_hide_wherever_a_page_ends(
    open_storage: OpenStorage, middleman_of_moto: Middleman, moto: S3Access, own_folder: str, page_size: int
) -> None:
    # Given objects with several versions, deleted and not, and a store that lists few at a time
    storage = open_storage(through(middleman_of_moto, moto), VERSIONED)
    for key in ("u/a", "u/b", "u/c", "u/d"):
        for n in range(3):
            await storage.put(key, b"%d" % n, media_type=TYPE)
    await storage.delete_many(["u/a", "u/b", "u/d"])
    seen: list[tuple[list[str], list[str]]] = []

    def page(request: WireRequest) -> None:
        if "?versions" in request.path:
            request.path += f"&max-keys={page_size}"
        if request.method == "POST":
            versions, markers, _ = raw_history(moto, VERSIONED, own_folder)
            seen.append((versions, markers))

    middleman_of_moto.judge = page

    removed = await storage.purge_versions("u/")

    assert removed == 3 + 1 + 3 + 1 + 2 + 3 + 1
    assert raw_history(moto, VERSIONED, own_folder) == (["u/c"], [], [])
    assert [key for versions, markers in seen for key in versions if key not in (*markers, "u/c")] == []


@pytest.mark.parametrize("broken", [1, 2])
async def test_a_purge_that_is_cut_brings_nothing_back(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access, broken: int
) -> None:
    # Given a deleted object with versions, and a store that fails at the first or second deletion of a purge
    storage = open_storage(through(middleman, seaweed), VERSIONED)
    for body in (b"one", b"two"):
        await storage.put("u/1/photo", body, media_type=TYPE)
    await storage.delete_many(["u/1/photo"])
    deletions = 0

    def fail(request: WireRequest) -> Answer | None:
        nonlocal deletions
        if request.method != "POST" or "?delete" not in request.path:
            return None
        deletions += 1
        return said(400, "MalformedXML") if deletions == broken else None

    middleman.judge = fail

    with pytest.raises(StorageUnavailable) as caught:
        await storage.purge_versions("u/1/")

    assert caught.value.attributes["s3_code"] == "MalformedXML"
    assert await storage.head("u/1/photo") is None
    assert await storage.purge_versions("u/1/") == (3 if broken == 1 else 1)
    assert await storage.head("u/1/photo") is None


async def test_whether_a_bucket_keeps_versions_is_asked_of_the_bucket(
    open_storage: OpenStorage, access: S3Access
) -> None:
    plain, versioned = open_storage(access, BUCKET), open_storage(access, VERSIONED)
    before = (plain.capabilities.versioned, versioned.capabilities.versioned)

    await asyncio.gather(plain.check(), versioned.check())

    assert before == (True, True), "the worse is assumed"
    assert (plain.capabilities.versioned, versioned.capabilities.versioned) == (False, True)


async def test_versions_are_purged_whatever_the_setting_says(
    open_storage: OpenStorage, seaweed: S3Access, own_folder: str
) -> None:
    storage = open_storage(seaweed, VERSIONED, versioned=False)
    await storage.check()
    await storage.put("u/1", b"x", media_type=TYPE)
    await storage.delete_many(["u/1"])

    assert not storage.capabilities.versioned
    assert await storage.purge_versions("u/") == 2
    assert raw_history(seaweed, VERSIONED, own_folder) == ([], [], [])


async def test_a_store_that_knows_no_versions_is_fine_only_if_the_operator_says_so(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access
) -> None:
    # Given a store that does not know the question, as some do not
    middleman.judge = lambda request: said(501, "NotImplemented") if "?versions" in request.path else None
    there = through(middleman, seaweed)

    assert await open_storage(there, versioned=False).purge_versions("u/") == 0
    for versioned in (None, True):
        with pytest.raises(StorageUnavailable):
            await open_storage(there, versioned=versioned).purge_versions("u/")
