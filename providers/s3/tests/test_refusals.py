"""A store that will not have us: what the operator reads, what the platform is told, and what nobody sees."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from statuette import ConfigurationError
from statuette.ports.storage import ObjectExists, ObjectNotFound, Storage, StorageUnavailable
from statuette.testing.servers.s3 import S3Access
from statuette.testing.servers.seaweedfs import SeaweedServer
from statuette.testing.wire import WireRequest
from statuette.values import SystemClock
from statuette_s3.bucket import Bucket
from statuette_s3.probe import try_out
from statuette_s3.storage import S3Storage
from statuette_s3.versions import Versions

from .conftest import OpenStorage, through
from .middleman import Answer, Middleman, said

TYPE = "image/jpeg"


async def drained(stream: Any) -> None:
    async for _ in stream:
        pass


CALLS: dict[str, Callable[[Storage], Awaitable[Any]]] = {
    "put": lambda storage: storage.put("a/b", b"x", media_type=TYPE),
    "put if absent": lambda storage: storage.put("a/new", b"x", media_type=TYPE, if_absent=True),
    "read": lambda storage: storage.read("a/b"),
    "stream": lambda storage: drained(storage.stream("a/b")),
    "head": lambda storage: storage.head("a/b"),
    "delete": lambda storage: storage.delete_many(["a/b"]),
    "list": lambda storage: drained(storage.list("a/")),
    "purge": lambda storage: storage.purge_versions("a/"),
}

every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@every_call
@pytest.mark.parametrize(
    ("wrong", "setting"),
    [({"access_key_id": "nobodys-key"}, "access_key_id"), ({"secret_access_key": "guessed"}, "secret_access_key")],
)
async def test_wrong_keys_are_named_by_setting_and_shown_nowhere(
    open_storage: OpenStorage,
    seaweed: S3Access,
    call: Callable[[Storage], Awaitable[Any]],
    wrong: dict[str, str],
    setting: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    storage = open_storage(seaweed, **wrong)
    storage_secret = wrong.get("secret_access_key", seaweed.secret_access_key)

    with pytest.raises(StorageUnavailable, match=f"`{setting}` of the plugin s3") as caught:
        await call(storage)

    shown = "".join(traceback.format_exception(caught.value)) + repr(storage)
    assert not any(key in shown for key in (*wrong.values(), seaweed.access_key_id, seaweed.secret_access_key))
    assert storage_secret not in caplog.text


@every_call
async def test_a_missing_bucket_is_no_empty_bucket(
    open_storage: OpenStorage, seaweed: S3Access, call: Callable[[Storage], Awaitable[Any]]
) -> None:
    with pytest.raises(StorageUnavailable, match=r"There is no bucket 'elsewhere'.*Make it"):
        await call(open_storage(seaweed, "elsewhere"))


@pytest.mark.parametrize(
    ("call", "allowed"),
    [
        (CALLS["put"], "s3:PutObject"),
        (CALLS["put if absent"], "s3:PutObject"),
        (CALLS["delete"], "s3:DeleteObject"),
    ],
)
async def test_a_key_that_may_not_is_told_which_permission_it_lacks(
    open_storage: OpenStorage,
    seaweed: S3Access,
    seaweed_server: SeaweedServer,
    call: Callable[[Storage], Awaitable[Any]],
    allowed: str,
) -> None:
    await open_storage(seaweed).put("a/b", b"x", media_type=TYPE)
    reader = open_storage(seaweed_server.reader)

    with pytest.raises(StorageUnavailable, match=f"Allow it {allowed}"):
        await call(reader)

    assert await reader.read("a/b") == b"x"


REFUSALS: dict[str, tuple[Answer, str]] = {
    # No emulator has regions, clocks or keys for encryption of its own: these are the answers that Amazon documents.
    "another region": (said(301, "PermanentRedirect"), "not in us-east-1 but in another region"),
    "the right region": (
        said(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>"),
        "in the region eu-central-1. Set `region` of the plugin s3 to 'eu-central-1'",
    ),
    "the clock": (said(403, "RequestTimeTooSkewed"), "clock.*by NTP"),
    "the token": (said(400, "ExpiredToken"), "Renew `session_token`"),
    "the permission": (said(403, "AccessDenied"), "Allow it s3:"),
    "the key for encryption": (said(400, "KMS.NotFoundException"), "`kms_key_id`.*kms:GenerateDataKey"),
    "what it does not know": (said(501, "NotImplemented"), "`encryption` and `addressing`"),
}


@every_call
@pytest.mark.parametrize(("answer", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_what_only_the_operator_can_change_comes_with_its_cure(
    open_storage: OpenStorage,
    middleman: Middleman,
    seaweed: S3Access,
    call: Callable[[Storage], Awaitable[Any]],
    answer: Answer,
    words: str,
) -> None:
    middleman.judge = lambda _: answer
    storage = open_storage(through(middleman, seaweed))

    with pytest.raises(StorageUnavailable, match=f"(?s){words}") as caught:
        await call(storage)

    assert caught.value.cure
    assert caught.value.attributes["s3_status"] == answer[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_key_id": "nobodys-key"},
        {"secret_access_key": "guessed"},
        {"bucket": "elsewhere"},
        {"certificate_authority_file": "/nonexistent/authority.pem"},
    ],
)
async def test_a_check_at_the_start_ends_it_with_the_same_cure(
    open_storage: OpenStorage, seaweed: S3Access, wrong: dict[str, str]
) -> None:
    storage = open_storage(seaweed, **wrong)

    with pytest.raises(ConfigurationError) as caught:
        await storage.check()

    assert caught.value.cure is not None and "of the plugin s3" in caught.value.cure


async def test_a_check_finds_a_missing_permission_before_the_first_photo_does(
    open_storage: OpenStorage, seaweed_server: SeaweedServer
) -> None:
    with pytest.raises(ConfigurationError, match="s3:PutObject"):
        await open_storage(seaweed_server.reader).check()


@pytest.mark.parametrize("header", ["if-none-match", "if-match"])
async def test_a_check_finds_a_store_that_ignores_conditions(
    open_storage: OpenStorage, middleman_of_moto: Middleman, moto: S3Access, header: str
) -> None:
    def ignore(request: WireRequest) -> None:
        request.headers.pop(header, None)

    middleman_of_moto.judge = ignore

    with pytest.raises(ConfigurationError, match=f"(?i)ignores the header {header}"):
        await open_storage(through(middleman_of_moto, moto)).check()


@pytest.mark.parametrize("place", ["seaweed", "moto"])
async def test_a_check_leaves_nothing_behind(
    place: str, request: pytest.FixtureRequest, open_storage: OpenStorage, own_folder: str
) -> None:
    from .conftest import VERSIONED, raw_history

    access = request.getfixturevalue(place)
    await open_storage(access, VERSIONED).check()

    assert raw_history(access, VERSIONED, own_folder) == ([], [], [])


@pytest.mark.parametrize("place", ["seaweed", "moto"])
async def test_a_check_removes_what_a_killed_one_left_behind(
    place: str, request: pytest.FixtureRequest, own_folder: str
) -> None:
    from .conftest import VERSIONED, config_for, raw_history

    # Given an object that a check had written when it was killed, and another that it had already deleted
    access = request.getfixturevalue(place)
    config = config_for(access, own_folder, VERSIONED)
    bucket, versions = Bucket(config, SystemClock()), Versions(config)
    for key in ("statuette-check/killed", "statuette-check/killed-later"):
        await bucket.put(key, b"first", media_type=TYPE)
    await bucket.delete(["statuette-check/killed-later"])
    await asyncio.sleep(1.1)  # stores tell whole seconds

    # When the next one comes
    await try_out(bucket, versions, abandoned_after=timedelta(0))

    # Then nothing of either is left
    assert raw_history(access, VERSIONED, own_folder) == ([], [], [])
    versions.close()


async def test_a_check_of_a_store_that_is_down_is_not_the_operators_mistake(
    open_storage: OpenStorage, seaweed: S3Access
) -> None:
    nowhere = msgspec.structs.replace(seaweed, url="http://127.0.0.1:9")

    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        await open_storage(nowhere).check()


async def test_a_web_server_that_redirects_everything_is_survived(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access
) -> None:
    middleman.judge = lambda request: (302, b"<html>")
    storage = open_storage(through(middleman, seaweed))

    for call in CALLS.values():
        with pytest.raises(StorageUnavailable):
            await call(storage)


async def test_a_page_that_is_not_from_s3_is_no_absence(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access
) -> None:
    # Given some other web server, whose "not found" must not pass for proof that a photo is gone
    middleman.judge = lambda _: (404, b"<html><title>404 Not Found</title></html>")
    storage = open_storage(through(middleman, seaweed))

    for call in (storage.head("a/b"), storage.read("a/b"), storage.delete_many(["a/b"])):
        with pytest.raises(StorageUnavailable):
            await call


async def test_being_told_to_slow_down_is_obeyed_and_then_tried_again(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access
) -> None:
    left = {"PUT": 2, "GET": 2, "HEAD": 2, "POST": 2}

    def crowded(request: WireRequest) -> Answer | None:
        left[request.method] -= 1
        return said(503, "SlowDown") if left[request.method] >= 0 else None

    middleman.judge = crowded
    storage = open_storage(through(middleman, seaweed))

    await storage.put("a/b", b"x", media_type=TYPE)
    assert await storage.read("a/b") == b"x"
    await storage.delete_many(["a/b"])

    assert max(left.values()) < 0


@every_call
async def test_a_store_that_stays_crowded_is_given_up_within_bounds(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access, call: Callable[[Storage], Awaitable[Any]]
) -> None:
    middleman.judge = lambda _: said(503, "SlowDown")
    storage = open_storage(through(middleman, seaweed))

    with pytest.raises(StorageUnavailable, match="slow down") as caught:
        await call(storage)

    assert caught.value.retryable
    assert 2 <= len(middleman.requests) <= 5


async def test_a_conditional_write_whose_answer_is_lost_is_not_repeated(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access
) -> None:
    # Given a store that writes and then says that it failed
    storage = open_storage(seaweed)
    between = open_storage(through(middleman, seaweed))
    written: list[asyncio.Task[Any]] = []

    def lose(request: WireRequest) -> Answer | None:
        if request.method != "PUT":
            return None
        written.append(asyncio.ensure_future(storage.put("a/b", request.body, media_type=TYPE)))
        return said(500, "InternalError")

    middleman.judge = lose

    with pytest.raises(StorageUnavailable):
        await between.put("a/b", b"mine", media_type=TYPE, if_absent=True)
    await asyncio.gather(*written)

    assert len(written) == 1
    with pytest.raises(ObjectExists):
        await storage.put("a/b", b"mine", media_type=TYPE, if_absent=True)


async def test_a_conditional_write_that_met_another_is_tried_until_it_is_clear_who_won(
    open_storage: OpenStorage, middleman: Middleman, seaweed: S3Access
) -> None:
    conflicts = [said(409, "ConditionalRequestConflict"), said(503, "SlowDown")]
    middleman.judge = lambda request: conflicts.pop() if conflicts and request.method == "PUT" else None
    storage = open_storage(through(middleman, seaweed))

    await storage.put("a/b", b"mine", media_type=TYPE, if_absent=True)

    assert await storage.read("a/b") == b"mine"


async def test_an_object_that_goes_or_changes_while_it_is_streamed_is_not_stitched_together(
    open_storage: OpenStorage, seaweed: S3Access
) -> None:
    storage: S3Storage = open_storage(seaweed)
    await storage.put("a/gone", b"1" * 3_000_000, media_type=TYPE)
    await storage.put("a/changed", b"1" * 3_000_000, media_type=TYPE)
    gone, changed = storage.stream("a/gone"), storage.stream("a/changed")
    await anext(gone), await anext(changed)

    await storage.delete_many(["a/gone"])
    await storage.put("a/changed", b"2" * 3_000_000, media_type=TYPE)

    with pytest.raises(ObjectNotFound):
        await drained(gone)
    with pytest.raises(StorageUnavailable, match="replaced"):
        await drained(changed)
