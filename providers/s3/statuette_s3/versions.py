"""What obstore cannot see: earlier versions, delete markers and unfinished uploads. Blocking, through boto3.

A delete marker is what hides the versions below it. It goes only after them, or a purge that is cut would bring a deleted
object back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from statuette.ports.storage import StorageUnavailable
from statuette_s3.config import BucketConfig
from statuette_s3.failures import Operation, Refusal, refusal_of_botocore, unavailable

_DELETED_AT_ONCE = 1000  # the most that S3 takes in one request
_ATTEMPTS = 3
_LONGEST_CONNECT_SECONDS = 5.0
_NOT_OFFERED = ("NotImplemented", "MethodNotAllowed", "XNotImplemented")


class Versions:
    """The history of one bucket. Safe to use from several threads."""

    def __init__(self, config: BucketConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._client: Any = None

    def are_kept(self) -> bool:
        """Whether the bucket keeps earlier versions, or has kept them before that was suspended."""
        with self._failures(Operation.ASK_VERSIONING):
            answer = self._opened().get_bucket_versioning(Bucket=self._config.bucket)
        return answer.get("Status") in ("Enabled", "Suspended")

    def purge(self, prefix: str, *, expected: bool = True) -> int:
        """Remove every version but those in place, every delete marker and every upload below `prefix`; returns how many.

        Args:
            expected: False when the operator says that the bucket keeps no versions: then a store that does not know
                the question is fine.
        """
        try:
            removed = self._purge_versions(self._config.prefix + prefix)
        except StorageUnavailable as error:
            if expected or error.attributes.get("s3_code") not in _NOT_OFFERED:
                raise
            removed = 0
        return removed + self._abort_uploads(self._config.prefix + prefix)

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _purge_versions(self, prefix: str) -> int:
        earlier: list[dict[str, str]] = []
        markers: list[dict[str, str]] = []
        with self._failures(Operation.PURGE_VERSIONS):
            # Collected first: the next page of a listing begins at a version, and that must still be there.
            for page in self._pages("list_object_versions", prefix):
                earlier += [_named(version) for version in page.get("Versions", ()) if not version["IsLatest"]]
                markers += [_named(marker) for marker in page.get("DeleteMarkers", ())]
            self._delete(earlier)
            self._delete(markers)
        return len(earlier) + len(markers)

    def _abort_uploads(self, prefix: str) -> int:
        with self._failures(Operation.PURGE_UPLOADS):
            uploads = [
                upload for page in self._pages("list_multipart_uploads", prefix) for upload in page.get("Uploads", ())
            ]
            uploads = [upload for upload in uploads if upload["Key"].startswith(prefix)]
            for upload in uploads:
                with _fine_if_gone("NoSuchUpload"):
                    self._opened().abort_multipart_upload(
                        Bucket=self._config.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
        return len(uploads)

    def _pages(self, call: str, prefix: str) -> Iterable[dict[str, Any]]:
        pages: Iterable[dict[str, Any]] = (
            self._opened().get_paginator(call).paginate(Bucket=self._config.bucket, Prefix=prefix)
        )
        return pages

    def _delete(self, versions: Sequence[dict[str, str]]) -> None:
        for at in range(0, len(versions), _DELETED_AT_ONCE):
            some = versions[at : at + _DELETED_AT_ONCE]
            answer = self._opened().delete_objects(
                Bucket=self._config.bucket, Delete={"Objects": list(some), "Quiet": True}
            )
            if errors := answer.get("Errors"):
                raise unavailable(Refusal(errors[0].get("Code"), 200), Operation.PURGE_VERSIONS, self._config)

    @contextmanager
    def _failures(self, operation: Operation) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError, RecursionError) as error:
            # It recurses where a store redirects whatever is asked, even where to.
            raise unavailable(refusal_of_botocore(error), operation, self._config) from None

    def _opened(self) -> Any:
        """The client, made when first needed: the library takes a second to import."""
        with self._lock:
            if self._client is None:
                self._client = new_client(self._config)
            return self._client


def _named(version: dict[str, Any]) -> dict[str, str]:
    return {"Key": version["Key"], "VersionId": version["VersionId"]}


@contextmanager
def _fine_if_gone(code: str) -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error.response["Error"].get("Code") != code:
            raise


def new_client(config: BucketConfig) -> Any:
    """A client of the store's own kind, to be closed."""
    from botocore.config import Config

    with _session_lock:
        return _session().client(
            "s3",
            endpoint_url=config.store_url,
            region_name=config.signing_region,
            aws_access_key_id=config.access_key_id,
            aws_secret_access_key=config.secret_access_key,
            aws_session_token=config.session_token or None,
            verify=config.certificate_authority_file or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "virtual" if config.virtual_hosted else "path"},
                connect_timeout=min(config.timeout_seconds / 4, _LONGEST_CONNECT_SECONDS),
                read_timeout=config.timeout_seconds / _ATTEMPTS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@cache
def _session() -> Any:
    """What clients of this process are made from: it has read the description of S3, a tenth of a second's work."""
    import boto3
    import botocore.session

    # Profiles, files and variables of AWS may be meant for something else on this machine.
    nowhere = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=nowhere))


_session_lock = threading.Lock()  # clients are safe to share between threads, what makes them is not
