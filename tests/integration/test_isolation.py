"""Tests share servers without meeting each other."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
import pytest
import redis

from statuette.testing.servers import S3Access
from tests.isolation import leased_redis, temporary_bucket


def test_two_tests_get_two_redis_databases_and_leave_them_empty(redis_server: str) -> None:
    # Given one test that has written
    with leased_redis(redis_server) as one, redis.Redis.from_url(one) as client:
        client.set("mine", 1)

        # When another asks for a database meanwhile
        with leased_redis(redis_server) as another, redis.Redis.from_url(another) as other_client:
            other_client.set("mine", 2)

            # Then neither sees the other
            assert (client.get("mine"), other_client.get("mine")) == (b"1", b"2")

    # And nothing of both is left
    for url in (one, another):
        with redis.Redis.from_url(url) as client:
            assert client.dbsize() == 0


def test_a_database_that_somebody_else_filled_is_left_alone(redis_server: str) -> None:
    # Given data of somebody else, in the database that would be next
    with leased_redis(redis_server) as url:
        pass
    with redis.Redis.from_url(url) as client:
        client.set("theirs", 1)

        # When a test asks for one
        with leased_redis(redis_server) as mine:
            # Then it gets another, and theirs stays
            assert mine != url
        assert client.get("theirs") == b"1"
        client.flushdb()


def test_a_bucket_is_removed_with_everything_in_it(s3_server: S3Access) -> None:
    # Given a bucket with two versions of an object, and a deleted one
    with temporary_bucket(s3_server) as name:
        session = boto3.Session(s3_server.access_key_id, s3_server.secret_access_key, region_name=s3_server.region)
        store = session.client("s3", endpoint_url=s3_server.url)
        store.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for body in (b"one", b"two"):
            store.put_object(Bucket=name, Key="kept.png", Body=body)
        store.put_object(Bucket=name, Key="gone.png", Body=b"three")
        store.delete_object(Bucket=name, Key="gone.png")

    # When the test is over, then the store has no such bucket
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{s3_server.url}/{name}")


def test_the_fixtures_give_an_empty_database_and_an_empty_bucket(
    redis_url: str, s3_server: S3Access, s3_bucket: str
) -> None:
    # Given the fixtures
    session = boto3.Session(s3_server.access_key_id, s3_server.secret_access_key, region_name=s3_server.region)

    # When they are looked into
    with redis.Redis.from_url(redis_url) as client:
        keys = client.dbsize()
    objects = session.client("s3", endpoint_url=s3_server.url).list_objects_v2(Bucket=s3_bucket)

    # Then there is nothing
    assert (keys, objects["KeyCount"]) == (0, 0)
