"""Signed addresses: right to the byte, the same for the same expiry, and good for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from statuette.testing import FrozenClock
from statuette.testing.servers.s3 import S3Access
from statuette_s3.signing import Signer
from statuette_s3.storage import S3Storage

from .conftest import OpenStorage, config_for, fetch, raw_client

NOW = datetime(2026, 1, 15, 12, 34, 56, tzinfo=UTC)


def signed(signer: Signer, **changes: object) -> str:
    arguments: dict[str, object] = {"media_type": "image/png", "now": NOW, "expires_at": NOW + timedelta(minutes=15)}
    return signer.url("a/b", **{**arguments, **changes})  # type: ignore[arg-type]


@pytest.fixture
def signer() -> Signer:
    return Signer("https://photos.s3.eu-central-1.amazonaws.com", "eu-central-1", "access", "secret")


def test_the_example_of_amazon_comes_out() -> None:
    # Given the example in "Authenticating Requests: Using Query Parameters"
    signer = Signer(
        bucket_url="https://examplebucket.s3.amazonaws.com",
        region="us-east-1",
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )

    url = signer.presigned(
        "test.txt", signed_at=datetime(2013, 5, 24, tzinfo=UTC), lasting=timedelta(days=1), response={}
    )

    assert parse_qs(urlsplit(url).query)["X-Amz-Signature"] == [
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    ]


@pytest.mark.parametrize("token", [None, "token/with+signs=="])
def test_amazons_own_library_signs_the_same(token: str | None) -> None:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        region_name="eu-central-1",
        endpoint_url="http://127.0.0.1:9000",
        aws_access_key_id="access",
        aws_secret_access_key="secret",
        aws_session_token=token,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    theirs = client.generate_presigned_url(
        "get_object",
        Params={"Bucket": "photos", "Key": "a/b_c-d.jpg", "ResponseContentType": "image/svg+xml"},
        ExpiresIn=900,
    )
    client.close()
    parameters = parse_qs(urlsplit(theirs).query)
    signed_at = datetime.strptime(parameters["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    ours = Signer("http://127.0.0.1:9000/photos", "eu-central-1", "access", "secret", token).presigned(
        "a/b_c-d.jpg",
        signed_at=signed_at,
        lasting=timedelta(minutes=15),
        response={"content-type": "image/svg+xml"},
    )

    assert parse_qs(urlsplit(ours).query) == parameters
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]


def test_the_same_expiry_gives_the_same_address_however_much_later(signer: Signer) -> None:
    until = NOW + timedelta(days=3, microseconds=17)

    addresses = {
        signed(signer, now=NOW + timedelta(hours=hours), expires_at=until + timedelta(microseconds=hours))
        for hours in range(60)
    }

    assert len(addresses) == 1


def end_of(url: str) -> datetime:
    parameters = parse_qs(urlsplit(url).query)
    begin = datetime.strptime(parameters["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return begin + timedelta(seconds=int(parameters["X-Amz-Expires"][0]))


@pytest.mark.parametrize("seconds", [0.4, 1, 59.999, 3600, 86_400.5, 6 * 86_400, 7 * 86_400, 30 * 86_400, 5e9])
def test_no_address_lasts_longer_than_asked_for_or_than_a_week(signer: Signer, seconds: float) -> None:
    until = NOW + timedelta(seconds=seconds)

    url = signed(signer, expires_at=until)

    assert end_of(url) <= until
    assert end_of(url) > min(until, NOW + timedelta(days=7, hours=-1)) - timedelta(seconds=1)
    assert timedelta(0) <= end_of(url) - NOW <= timedelta(days=7)


def test_what_has_expired_is_signed_as_expired(signer: Signer) -> None:
    assert end_of(signed(signer, expires_at=NOW - timedelta(days=400))) <= NOW - timedelta(days=400)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": datetime(2026, 2, 1)}, "time zone"),  # noqa: DTZ001 - the naive time is the case
        ({"media_type": "image/png; charset=x"}, "media type"),
        ({"media_type": "text/html\n"}, "media type"),
    ],
)
def test_what_could_not_be_signed_soundly_is_a_bug_of_the_caller(
    signer: Signer, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        signed(signer, **changes)


@pytest.mark.parametrize("place", ["seaweed", "moto"])
async def test_what_is_served_has_the_type_asked_for_and_is_kept_by_nobody_beyond_its_end(
    place: str, request: pytest.FixtureRequest, open_storage: OpenStorage
) -> None:
    storage = open_storage(request.getfixturevalue(place))
    await storage.put("a/photo", b"picture", media_type="application/octet-stream")
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)

    response = await fetch("GET", storage.signed_url("a/photo", media_type="image/webp", expires_at=until))

    assert (response.status_code, response.content) == (200, b"picture")
    assert response.headers["content-type"] == "image/webp"
    assert response.headers["cache-control"] == "private"
    assert response.headers["expires"] == until.strftime("%a, %d %b %Y %H:%M:%S GMT")


async def test_expired_tampered_and_foreign_signatures_are_refused(
    open_storage: OpenStorage, seaweed: S3Access, own_folder: str
) -> None:
    storage = open_storage(seaweed)
    await storage.put("a/photo", b"picture of somebody", media_type="image/webp")
    await storage.put("a/other", b"picture of another", media_type="image/webp")
    now = datetime.now(UTC)
    good = storage.signed_url("a/photo", media_type="image/webp", expires_at=now + timedelta(minutes=5))
    foreign = S3Storage(config_for(seaweed, own_folder, secret_access_key="guessed"), FrozenClock(now))
    date = parse_qs(urlsplit(good).query)["X-Amz-Date"][0]
    bad = {
        "expired": storage.signed_url("a/photo", media_type="image/webp", expires_at=now - timedelta(seconds=2)),
        "longer": good.replace("X-Amz-Expires=604800", "X-Amz-Expires=604801"),
        "later": good.replace(f"X-Amz-Date={date}", f"X-Amz-Date={now.strftime('%Y%m%dT%H%M%SZ')}"),
        "another key": good.replace("a/photo", "a/other"),
        "another type": good.replace("image%2Fwebp", "text%2Fhtml"),
        "another signature": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "no signature": good.partition("&X-Amz-Signature")[0],
        "nothing": good.partition("?")[0],
        "another secret": foreign.signed_url("a/photo", media_type="image/webp", expires_at=now + timedelta(minutes=5)),
    }

    answers = {name: await fetch("GET", url) for name, url in bad.items()}
    written = await fetch("PUT", good)

    assert (await fetch("GET", good)).status_code == 200
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code < 400} == {}
    assert [name for name, answer in answers.items() if b"picture" in answer.content] == []
    assert written.status_code >= 400
    assert await storage.read("a/photo") == b"picture of somebody"


async def test_the_store_believes_our_addresses_as_it_believes_its_own(
    open_storage: OpenStorage, seaweed: S3Access, own_folder: str
) -> None:
    storage = open_storage(seaweed)
    await storage.put("a/photo", b"picture", media_type="image/webp")
    client = raw_client(seaweed)
    theirs = client.generate_presigned_url(
        "get_object", Params={"Bucket": "objects", "Key": f"{own_folder}a/photo"}, ExpiresIn=60
    )
    client.close()

    ours = storage.signed_url("a/photo", media_type="image/webp", expires_at=datetime.now(UTC) + timedelta(seconds=60))

    assert [(await fetch("GET", url)).content for url in (theirs, ours)] == [b"picture"] * 2
