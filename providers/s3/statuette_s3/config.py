"""The settings of both plugins, and what is refused before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec

from statuette import ConfigurationError
from statuette.ports.storage import InvalidKey, check_prefix

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_DEFAULT_REGION = "us-east-1"  # what stores that have no regions take in signatures
_MAX_PREFIX_LENGTH = 256  # a key has up to 512 characters, and S3 takes 1,024 bytes


class BucketConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bucket and how to reach it. What carries a variable's name is declared by each plugin.

    Attributes:
        bucket: its name; the plugin offers nothing while it is not set.
        endpoint: address of the store, without a path; AWS unless set.
        region: of the bucket. AWS needs it; other stores go by `us-east-1` unless set.
        access_key_id, secret_access_key: both are needed.
        session_token: of temporary keys; it has to be renewed from outside.
        prefix: what every key in the bucket begins with, such as `statuette/`.
        addressing: `virtual` puts the bucket's name before the host's, `path` behind it; `auto` is `virtual` for AWS and
            `path` for other endpoints.
        encryption: asked for with every object: `AES256` (SSE-S3), `aws:kms` (SSE-KMS), or `none` for stores without.
        kms_key_id: the key for `aws:kms`; unless set, the store's own.
        allow_http: let the endpoint be `http://` on another host than this one. Photos travel in the clear.
        certificate_authority_file: PEM file of an authority to trust besides the system's.
        timeout_seconds: for one operation on one object, retries included.
    """

    plugin: ClassVar[str]

    bucket: str | None = None
    endpoint: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    prefix: str = ""
    addressing: Literal["auto", "virtual", "path"] = "auto"
    encryption: Literal["AES256", "aws:kms", "none"] = "AES256"
    kms_key_id: str | None = None
    allow_http: bool = False
    certificate_authority_file: str | None = None
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0

    def __repr__(self) -> str:  # no key reaches a log
        return f"{type(self).__name__}({self.bucket}, {self.endpoint or self.region})"

    @property
    def signing_region(self) -> str:
        return self.region or _DEFAULT_REGION

    @property
    def store_url(self) -> str:
        """The store's own address, without the bucket and without a slash at the end."""
        return self.endpoint.rstrip("/") if self.endpoint else f"https://s3.{self.region}.amazonaws.com"

    @property
    def off_host(self) -> bool:
        """Whether the store is another machine's."""
        return not is_loopback(urlsplit(self.store_url).hostname or "")

    @property
    def virtual_hosted(self) -> bool:
        if self.addressing == "auto":
            # A dot in the name would make the host one that no certificate of AWS is for.
            return self.endpoint is None and "." not in (self.bucket or "")
        return self.addressing == "virtual"

    @property
    def bucket_url(self) -> str:
        """What comes before a key, without a slash at the end."""
        if not self.virtual_hosted:
            return f"{self.store_url}/{self.bucket}"
        scheme, _, host = self.store_url.partition("://")
        return f"{scheme}://{self.bucket}.{host}"


class S3Config(BucketConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings in the table `s3`.

    Attributes:
        versioned: whether the bucket keeps earlier versions; asked of the bucket unless set. They are purged either way.
        encrypted_volume: you attest that a store with `encryption = "none"` lies on encrypted volumes.
        notice_region: where the store's operator processes data, as the privacy notice is to say it; `region` unless set.
        third_party: False when the store is run by yourself.
        terms_url: the data-processing terms of the store's operator.
        journal_bucket: a bucket for the erasure journal (`journal_storage = "s3_journal"`), reached in the same way as `bucket`,
            and usable without it.
    """

    plugin: ClassVar[str] = "s3"

    bucket: Annotated[str | None, msgspec.Meta(extra={"env": "S3_BUCKET"})] = None
    endpoint: Annotated[str | None, msgspec.Meta(extra={"env": "S3_URL"})] = None
    region: Annotated[str | None, msgspec.Meta(extra={"env": "S3_REGION"})] = None
    access_key_id: Annotated[str | None, msgspec.Meta(extra={"env": "S3_ACCESS_KEY_ID"})] = None
    secret_access_key: Annotated[str | None, msgspec.Meta(extra={"env": "S3_SECRET_ACCESS_KEY", "secret": True})] = None
    session_token: Annotated[str | None, msgspec.Meta(extra={"env": "S3_SESSION_TOKEN", "secret": True})] = None
    versioned: bool | None = None
    encrypted_volume: bool = False
    notice_region: str | None = None
    third_party: bool = True
    terms_url: str | None = None
    journal_bucket: str | None = None

    def __repr__(self) -> str:
        return super().__repr__()


class S3KeysConfig(BucketConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings in the table `s3_keys`. The bucket is another than that of the objects, best with keys of its own.

    Attributes:
        master_key_file: file of master keys, newest last, readable by this user alone, the same on every machine. Unless
            set, data keys are wrapped by a key derived from the platform's master key.
    """

    plugin: ClassVar[str] = "s3_keys"

    bucket: Annotated[str | None, msgspec.Meta(extra={"env": "S3_KEYS_BUCKET"})] = None
    endpoint: Annotated[str | None, msgspec.Meta(extra={"env": "S3_KEYS_URL"})] = None
    region: Annotated[str | None, msgspec.Meta(extra={"env": "S3_KEYS_REGION"})] = None
    access_key_id: Annotated[str | None, msgspec.Meta(extra={"env": "S3_KEYS_ACCESS_KEY_ID"})] = None
    secret_access_key: Annotated[
        str | None, msgspec.Meta(extra={"env": "S3_KEYS_SECRET_ACCESS_KEY", "secret": True})
    ] = None
    session_token: Annotated[str | None, msgspec.Meta(extra={"env": "S3_KEYS_SESSION_TOKEN", "secret": True})] = None
    master_key_file: Annotated[str | None, msgspec.Meta(extra={"env": "S3_KEYS_MASTER_KEY_FILE"})] = None

    def __repr__(self) -> str:
        return super().__repr__()


def check(config: BucketConfig) -> None:
    """Refuse settings that contradict each other, or would send photos where they must not go.

    Raises:
        ConfigurationError: names the setting and the cure, never a key.
    """
    if not _BUCKET.fullmatch(config.bucket or ""):
        raise _wrong(config, "bucket", "is not the name of a bucket", "Use the name alone, such as `photos-example`.")
    if config.prefix:
        _check_prefix(config)
    if config.endpoint is None and not config.region:
        raise _wrong(
            config, "region", "is not set", "Set the region of the bucket, or `endpoint` for another store than AWS."
        )
    if config.region and not _REGION.fullmatch(config.region):
        raise _wrong(config, "region", "is not the name of a region", "AWS calls them `eu-central-1` and the like.")
    _check_endpoint(config)
    _check_keys(config)
    if config.kms_key_id and config.encryption != "aws:kms":
        raise _wrong(config, "kms_key_id", 'is set without `encryption = "aws:kms"`', "Set both, or neither.")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _check_prefix(config: BucketConfig) -> None:
    try:
        check_prefix(config.prefix)
        valid = len(config.prefix) <= _MAX_PREFIX_LENGTH
    except InvalidKey:
        valid = False
    if not valid:
        raise _wrong(
            config, "prefix", "is not a prefix", "Use small letters, digits, . _ - and /, with a slash at the end."
        )


def _check_endpoint(config: BucketConfig) -> None:
    try:
        address = urlsplit(config.store_url)
        host, port = address.hostname, address.port
    except ValueError:
        host, port = None, None
    plain = host is not None and (address.path or address.query or address.fragment or address.username) in ("", None)
    if not plain or not host or port == 0 or address.scheme not in ("http", "https"):
        raise _wrong(
            config,
            "endpoint",
            "is not the address of a store",
            "Use `https://host` or `https://host:port`, without a path; the bucket has a setting of its own.",
        )
    if address.scheme == "http" and not is_loopback(host) and not config.allow_http:
        raise _wrong(
            config,
            "endpoint",
            "would send photos and keys without encryption",
            "Use https, or set `allow_http = true` on a network that nobody else reaches.",
        )
    if config.addressing == "virtual" and _is_address(host):
        raise _wrong(
            config,
            "addressing",
            "is `virtual`, and the endpoint is an address without a name",
            'Set `addressing = "path"`.',
        )


def _check_keys(config: BucketConfig) -> None:
    for name in ("access_key_id", "secret_access_key", "session_token"):
        value: str | None = getattr(config, name)
        if not value:
            if name == "session_token":
                continue
            raise _wrong(config, name, "is not set", "Set both `access_key_id` and `secret_access_key`.")
        if not value.isascii() or not value.isprintable() or any(letter.isspace() for letter in value):
            raise _wrong(config, name, "is not a key", "Copy it again, without quotes, spaces or line breaks.")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _wrong(config: BucketConfig, setting: str, what: str, cure: str) -> ConfigurationError:
    name = f"{config.plugin}.{setting}"
    return ConfigurationError(f"The setting {name} {what}.", cure=cure, setting=name)
