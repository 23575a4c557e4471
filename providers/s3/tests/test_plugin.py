"""What the plugins offer, refuse, send and keep to themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette import ConfigurationError, PluginContext
from statuette.testing import FrozenClock
from statuette.testing.servers.s3 import S3Access
from statuette_s3 import S3Config, S3KeysConfig, keys_plugin, plugin
from statuette_s3.storage import S3Storage

from .conftest import BUCKET, OpenStorage, config_for, raw_client

KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG"}
AMAZON = {"bucket": "photos-example", "region": "eu-central-1", **KEYS}
OWN = {"bucket": "photos-example", "endpoint": "https://minio.example:9000", **KEYS}


def context(config: Any, folder: Path = Path("var/plugins")) -> PluginContext:
    return PluginContext(config, folder / "s3", FrozenClock(), "https://tiny.example", bytes(32))


def offered(**settings: Any) -> S3Storage:
    (storage,) = plugin.storages(context(S3Config(**settings)))
    assert isinstance(storage, S3Storage)
    return storage


@pytest.mark.parametrize("settings", [{}, {"bucket": None, **KEYS}, {"bucket": "", "region": "eu-central-1"}])
def test_nothing_is_offered_while_no_bucket_is_named(settings: dict[str, Any]) -> None:
    assert plugin.storages(context(S3Config(**settings))) == ()
    assert keys_plugin.key_stores(context(S3KeysConfig(**settings))) == ()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no region": ({**AMAZON, "region": None}, "region"),
    "odd region": ({**AMAZON, "region": "eu central"}, "region"),
    "no keys": ({"bucket": "photos-example", "region": "eu-central-1"}, "access_key_id"),
    "half a key": ({**AMAZON, "secret_access_key": ""}, "secret_access_key"),
    "mangled key": ({**AMAZON, "secret_access_key": "two words"}, "secret_access_key"),
    "mangled token": ({**AMAZON, "session_token": "line\nbreak"}, "session_token"),
    "upper case": ({**AMAZON, "bucket": "Photos"}, "bucket"),
    "an address for a name": ({**AMAZON, "bucket": "s3://photos"}, "bucket"),
    "a prefix without slash": ({**AMAZON, "prefix": "photos"}, "prefix"),
    "a prefix that climbs": ({**AMAZON, "prefix": "../"}, "prefix"),
    "an endless prefix": ({**AMAZON, "prefix": "p/" * 200}, "prefix"),
    "no scheme": ({**OWN, "endpoint": "minio.example"}, "endpoint"),
    "another scheme": ({**OWN, "endpoint": "ftp://minio.example"}, "endpoint"),
    "a path": ({**OWN, "endpoint": "https://minio.example/photos"}, "endpoint"),
    "a user": ({**OWN, "endpoint": "https://user:word@minio.example"}, "endpoint"),
    "a query": ({**OWN, "endpoint": "https://minio.example?x=y"}, "endpoint"),
    "no port": ({**OWN, "endpoint": "https://minio.example:port"}, "endpoint"),
    "in the clear": ({**OWN, "endpoint": "http://minio.example:9000"}, "endpoint"),
    "in the clear, nearby": ({**OWN, "endpoint": "http://10.0.0.5:9000"}, "endpoint"),
    "virtual without a name": ({**OWN, "endpoint": "https://10.0.0.5", "addressing": "virtual"}, "addressing"),
    "a key without its encryption": ({**AMAZON, "kms_key_id": "alias/photos"}, "kms_key_id"),
}


@pytest.mark.parametrize(("settings", "named"), WRONG.values(), ids=WRONG)
def test_what_cannot_work_is_refused_at_the_start_with_its_cure(settings: dict[str, Any], named: str) -> None:
    for refuse, name in (
        (lambda: plugin.storages(context(S3Config(**settings))), "s3"),
        (lambda: keys_plugin.key_stores(context(S3KeysConfig(**settings))), "s3_keys"),
    ):
        with pytest.raises(ConfigurationError, match=rf"{name}\.{named} ") as refused:
            refuse()
        assert refused.value.cure
        assert "user:word" not in str(refused.value) and "two words" not in str(refused.value)


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000", "http://store.localhost"]
)
def test_this_machine_may_be_reached_in_the_clear(endpoint: str) -> None:
    assert offered(**{**OWN, "endpoint": endpoint}).name == "s3"


def test_another_machine_may_be_reached_in_the_clear_if_that_is_said() -> None:
    assert offered(**{**OWN, "endpoint": "http://minio.example:9000", "allow_http": True}).name == "s3"


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (AMAZON, "https://photos-example.s3.eu-central-1.amazonaws.com"),
        ({**AMAZON, "bucket": "photos.example.com"}, "https://s3.eu-central-1.amazonaws.com/photos.example.com"),
        ({**AMAZON, "addressing": "path"}, "https://s3.eu-central-1.amazonaws.com/photos-example"),
        (OWN, "https://minio.example:9000/photos-example"),
        ({**OWN, "addressing": "virtual"}, "https://photos-example.minio.example:9000"),
        ({**OWN, "endpoint": "https://minio.example/"}, "https://minio.example/photos-example"),
    ],
)
def test_the_bucket_stands_where_the_store_expects_it(settings: dict[str, Any], address: str) -> None:
    url = offered(**settings).signed_url("a/b", media_type="image/png", expires_at=FrozenClock().now())

    assert url.partition("?")[0] == f"{address}/a/b"


def test_no_representation_shows_a_key() -> None:
    for config in (S3Config(**AMAZON, session_token="token-of-a-session"), S3KeysConfig(**AMAZON)):
        storage = offered(**AMAZON)
        shown = repr(config) + str(config) + repr(context(config)) + repr(storage) + repr(vars(storage))
        assert "wJalr" not in shown and "AKIA" not in shown and "token-of" not in shown


def test_secrets_come_from_variables_and_are_marked_as_secrets() -> None:
    for config, start in ((S3Config, "S3_"), (S3KeysConfig, "S3_KEYS_")):
        said = {
            field.name: part.extra
            for field in msgspec.structs.fields(config)
            for part in getattr(field.type, "__metadata__", ())
            if isinstance(part, msgspec.Meta) and part.extra
        }
        assert said["secret_access_key"] == {"env": f"{start}SECRET_ACCESS_KEY", "secret": True}
        assert said["session_token"] == {"env": f"{start}SESSION_TOKEN", "secret": True}
        assert said["endpoint"] == {"env": f"{start}URL"}


@pytest.mark.parametrize("first", ["s3", "s3_keys"])
def test_photos_and_the_keys_to_what_is_known_of_people_share_no_bucket(tmp_path: Path, first: str) -> None:
    calls = {
        "s3": lambda settings: plugin.storages(context(S3Config(**settings), tmp_path)),
        "s3_keys": lambda settings: keys_plugin.key_stores(context(S3KeysConfig(**settings), tmp_path)),
    }
    second = next(name for name in calls if name != first)

    calls[first](AMAZON)
    with pytest.raises(ConfigurationError, match=r"use one bucket, 'photos-example'.*own") as refused:
        calls[second]({**AMAZON, "prefix": "elsewhere/"})

    assert first in refused.value.detail and second in refused.value.detail
    assert len(calls[second]({**AMAZON, "bucket": "another"})) == 1
    assert len(calls[first]({**AMAZON, "bucket": ""})) == 0
    assert len(calls[second](AMAZON)) == 1


def test_a_processor_says_what_the_notice_needs() -> None:
    amazon, own = offered(**AMAZON), offered(**OWN, third_party=False, notice_region="EU")

    assert (amazon.processor.name, amazon.processor.region, amazon.processor.third_party) == (
        "Amazon S3",
        "eu-central-1",
        True,
    )
    assert (own.processor.name, own.processor.region, own.processor.third_party) == (
        "Object store https://minio.example:9000",
        "EU",
        False,
    )


def test_encryption_is_claimed_only_where_it_is_asked_for_or_attested() -> None:
    claims = [
        offered(**AMAZON, **settings).capabilities.encrypted_at_rest
        for settings in ({}, {"encryption": "aws:kms"}, {"encryption": "none"})
    ]

    assert claims == [True, True, False]
    assert offered(**AMAZON, encryption="none", encrypted_volume=True).capabilities.encrypted_at_rest


@pytest.mark.parametrize(
    ("place", "settings", "expected"),
    [
        ("seaweed", {}, ("AES256", None)),
        ("moto", {}, ("AES256", None)),
        ("moto", {"encryption": "aws:kms"}, ("aws:kms", None)),
        ("moto", {"encryption": "aws:kms", "kms_key_id": "alias/photos"}, ("aws:kms", "alias/photos")),
        ("seaweed", {"encryption": "none"}, (None, None)),
    ],
)
@pytest.mark.parametrize("if_absent", [False, True])
async def test_every_object_is_stored_with_the_encryption_asked_for(
    request: pytest.FixtureRequest,
    open_storage: OpenStorage,
    own_folder: str,
    place: str,
    settings: dict[str, Any],
    expected: tuple[str | None, str | None],
    if_absent: bool,
) -> None:
    access: S3Access = request.getfixturevalue(place)

    await open_storage(access, **settings).put("a/b", b"x", media_type="image/webp", if_absent=if_absent)

    client = raw_client(access)
    found = client.head_object(Bucket=BUCKET, Key=f"{own_folder}a/b")
    client.close()
    key = found.get("SSEKMSKeyId") if "kms_key_id" in settings else None
    assert (found.get("ServerSideEncryption"), key) == expected
    assert found["ContentType"] == "image/webp"


async def test_what_this_machine_says_to_other_programs_of_amazon_is_not_for_us(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_storage: OpenStorage, seaweed: S3Access
) -> None:
    # Given variables and files that would send our objects elsewhere, or with other keys
    (tmp_path / "config").write_text("[default]\nregion = mars\nendpoint_url = http://127.0.0.1:9\n")
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "elses",
        "AWS_SESSION_TOKEN": "session",
        "AWS_REGION": "mars",
        "AWS_DEFAULT_REGION": "mars",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_PROFILE": "nobody",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }.items():
        monkeypatch.setenv(name, value)
    storage = open_storage(seaweed)

    await storage.check()
    await storage.put("a/b", b"x", media_type="image/png")

    assert await storage.read("a/b") == b"x"


async def test_a_bucket_is_reached_by_its_own_host_name(
    monkeypatch: pytest.MonkeyPatch, seaweed: S3Access, own_folder: str
) -> None:
    # Given a name that no resolver knows here, and a proxy that knows the way: the store itself
    for variable in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(variable, seaweed.url)
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    port = seaweed.url.rpartition(":")[2]
    config = config_for(seaweed, own_folder, endpoint=f"http://localhost:{port}", addressing="virtual")
    storage = S3Storage(config, FrozenClock())

    await storage.check()
    await storage.put("a/b", b"x", media_type="image/png")

    assert config.bucket_url == f"http://objects.localhost:{port}"
    assert await storage.read("a/b") == b"x"
    assert [info.key async for info in storage.list("a/")] == ["a/b"]
    await storage.delete_many(["a/b"])
    assert await storage.purge_versions("a/") == 0
    await storage.aclose()
    client = raw_client(seaweed)
    assert client.list_objects_v2(Bucket=BUCKET, Prefix=own_folder)["KeyCount"] == 0
    client.close()


def test_offering_a_store_imports_no_library_of_a_vendor() -> None:
    program = (
        "import sys; from pathlib import Path; import statuette_s3 as s; from statuette import PluginContext;"
        "from statuette.testing import FrozenClock;"
        "keys = dict(region='eu-central-1', access_key_id='k', secret_access_key='s');"
        "make = lambda c: PluginContext(c, Path('x/y'), FrozenClock(), '', bytes(32));"
        "assert s.plugin.storages(make(s.S3Config(bucket='one', **keys)));"
        "assert s.keys_plugin.key_stores(make(s.S3KeysConfig(bucket='two', **keys)));"
        "sys.exit(any(m.partition('.')[0] in ('obstore', 'boto3', 'botocore') for m in sys.modules))"
    )

    finished = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)

    assert finished.returncode == 0
