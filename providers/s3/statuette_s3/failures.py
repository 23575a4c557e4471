"""What a store says when it refuses, as our errors: what happened, and the cure.

The words of a store and of the libraries are never passed on, since they hold keys, addresses and object names; its codes
are (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from statuette.ports.storage import StorageUnavailable
from statuette_s3.config import BucketConfig

_CODE = re.compile(r"<Code>([A-Za-z0-9.]+)</Code>|\(code: ([A-Za-z0-9.]+)\)")
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_REGION = re.compile(r"<(?:Region|ExpectedRegion)>([a-z0-9-]{1,63})</")
_KIND = re.compile(r"kind: (Connect|Timeout)\b|\b(TimedOut)\b")
_CERTIFICATE = re.compile(r"InvalidCertificate|certificate", re.IGNORECASE)
_REDIRECTED = re.compile(r"\bBareRedirect\b")  # to nowhere: S3 has no Location header for a bucket in another region
_NAME = re.compile(r"dns error|failed to lookup", re.IGNORECASE)


class Operation(enum.Enum):
    """What was being done, in words and as the permissions it takes."""

    PUT = ("write objects", "s3:PutObject")
    READ = ("read objects", "s3:GetObject and s3:ListBucket")
    DELETE = ("delete objects", "s3:DeleteObject")
    LIST = ("list the bucket", "s3:ListBucket")
    ASK_VERSIONING = ("ask whether the bucket keeps versions", "s3:GetBucketVersioning")
    PURGE_VERSIONS = ("list and delete earlier versions", "s3:ListBucketVersions and s3:DeleteObjectVersion")
    PURGE_UPLOADS = ("list and abort unfinished uploads", "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload")

    def __init__(self, words: str, actions: str) -> None:
        self.words = words
        self.actions = actions


class Misconfigured(StorageUnavailable):
    """A refusal that stands until a setting, a permission or a clock is changed."""


class Refusal(msgspec.Struct, frozen=True):
    """What is known of a failed request.

    Attributes:
        code: the store's; None when it said none, as in answers to HEAD, or did not answer.
        status: of HTTP; None when there was no answer.
        kind: `connect`, `timeout`, `certificate`, `name`, or None.
        region: where the bucket is, if the store says so.
    """

    code: str | None = None
    status: int | None = None
    kind: str | None = None
    region: str | None = None

    @property
    def unexplained(self) -> bool:
        return self.status is not None and self.code is None


def refusal_of_obstore(error: BaseException) -> Refusal:
    """Read from obstore's text, which quotes the store's answer."""
    text = str(error)
    code, status, region, kind = (pattern.search(text) for pattern in (_CODE, _STATUS, _REGION, _KIND))
    answered = int(status[1]) if status else 301 if _REDIRECTED.search(text) else None
    return Refusal(
        code=(code[1] or code[2]) if code else None,
        status=answered,
        kind=None if answered else _kind(text, (kind[1] or kind[2]) if kind else None),
        region=region[1] if region else None,
    )


def refusal_of_botocore(error: BaseException) -> Refusal:
    """From botocore's exceptions."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    if isinstance(error, RecursionError):
        return Refusal(status=301)
    if not response:
        name = type(error).__name__
        kind = "Timeout" if "Timeout" in name else "Connect" if "Connect" in name else None
        return Refusal(kind=_kind(str(error), kind))
    said = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = said.get("Code")
    return Refusal(
        code=None if code is None or code.isdigit() else code,
        status=status,
        region=said.get("Region") or said.get("ExpectedRegion"),
    )


def _kind(text: str, told: str | None) -> str | None:
    if _CERTIFICATE.search(text):
        return "certificate"
    if _NAME.search(text):
        return "name"
    return {"Connect": "connect", "Timeout": "timeout", "TimedOut": "timeout", None: None}[told]


def unavailable(refusal: Refusal, operation: Operation, config: BucketConfig) -> StorageUnavailable:
    """The error to raise; `Misconfigured` when only the operator can change it."""
    said = {"s3_code": refusal.code, "s3_status": refusal.status}
    attributes = {name: value for name, value in said.items() if value is not None}
    for explain in (_of_settings, _of_network):
        if explained := explain(refusal, operation, config):
            detail, cure = explained
            return Misconfigured(detail, cure=cure, **attributes)
    detail, passing_cure = _of_the_moment(refusal, operation, config)
    return StorageUnavailable(detail, cure=passing_cure, **attributes)


def timed_out(operation: Operation, config: BucketConfig) -> StorageUnavailable:
    return StorageUnavailable(
        f"The object store {_place(config)} did not {operation.words} within {config.timeout_seconds:g} s."
    )


def _of_settings(refusal: Refusal, operation: Operation, config: BucketConfig) -> tuple[str, str] | None:
    place, plugin = _place(config), f"the plugin {config.plugin}"
    match refusal.code or refusal.status:
        case "InvalidAccessKeyId" | "InvalidClientTokenId":
            return f"The object store {place} does not know the access key.", f"Check `access_key_id` of {plugin}."
        case "SignatureDoesNotMatch":
            return (
                f"The object store {place} does not accept our signature.",
                f"Check `secret_access_key` of {plugin}; a proxy in between has to pass the Host header on.",
            )
        case "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired":
            return f"The session token for {place} is not valid any more.", f"Renew `session_token` of {plugin}."
        case "RequestTimeTooSkewed":
            return (
                f"The clock of this machine and that of the object store {place} differ too much.",
                "Set this machine's clock, by NTP.",
            )
        case "NoSuchBucket":
            return (
                f"There is no bucket {config.bucket!r} at {place}.",
                f"Make it, or check `bucket`, `region` and `endpoint` of {plugin}.",
            )
        case (
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "TemporaryRedirect"
            | "IllegalLocationConstraintException"
            | 301
            | 307
        ):
            other = f"the region {refusal.region}" if refusal.region else "another region"
            return (
                f"The bucket {config.bucket!r} is not in {config.signing_region} but in {other}.",
                f"Set `region` of {plugin}" + (f" to {refusal.region!r}." if refusal.region else "."),
            )
        case str(code) if code.startswith("KMS."):
            return (
                f"The key for encryption of the bucket {config.bucket!r} cannot be used ({code}).",
                f"Check `kms_key_id` of {plugin}; the access key needs kms:GenerateDataKey and kms:Decrypt on it.",
            )
        case "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "UnauthorizedAccess" | 401 | 403:
            return (
                f"The access key may not {operation.words} in the bucket {config.bucket!r}.",
                f"Allow it {operation.actions}, and check that no bucket policy denies it.",
            )
        case "NotImplemented" | "InvalidEncryptionAlgorithmError" | "InvalidArgument" | 501:
            return (
                f"The object store {place} does not know how to {operation.words} as it was asked to.",
                f"Check `encryption` and `addressing` of {plugin}.",
            )
    return None


def _of_network(refusal: Refusal, operation: Operation, config: BucketConfig) -> tuple[str, str] | None:
    place, plugin = _place(config), f"the plugin {config.plugin}"
    if refusal.kind == "certificate":
        return (
            f"The certificate of the object store {place} is not trusted.",
            f"Use the host name it was made for, or set `certificate_authority_file` of {plugin}.",
        )
    if refusal.kind == "name":
        return f"The name of the object store {place} is not known.", f"Check `endpoint` and `region` of {plugin}."
    return None


def _of_the_moment(refusal: Refusal, operation: Operation, config: BucketConfig) -> tuple[str, str | None]:
    place = _place(config)
    if refusal.kind == "connect":
        return f"The object store {place} cannot be reached.", None
    if refusal.kind == "timeout":
        return f"The object store {place} does not answer in time.", None
    if refusal.status is None and refusal.code is None:
        return f"The connection to the object store {place} was lost.", None
    if refusal.status in (429, 503) or refusal.code in ("SlowDown", "ServiceUnavailable", "Throttling"):
        return f"The object store {place} asks us to slow down.", None
    return f"The object store {place} did not {operation.words} ({refusal.code or refusal.status}).", None


def _place(config: BucketConfig) -> str:
    return config.store_url.partition("://")[2]
