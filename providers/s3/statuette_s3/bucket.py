"""One bucket through obstore: bounded in time, retried where that is safe, with our errors."""

from __future__ import annotations

import asyncio
import atexit
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from statuette import Clock
from statuette.ports.storage import ObjectExists, ObjectInfo, ObjectNotFound, StorageUnavailable
from statuette_s3.config import BucketConfig
from statuette_s3.failures import Misconfigured, Operation, refusal_of_obstore, timed_out, unavailable

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta, PutMode
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential, S3Store

_PAGE_OBJECTS = 1000
_RETRIES = 4
_LONGEST_CONNECT_SECONDS = 5.0
# Refusals of a conditional write that say it was not even begun, so that doing it again cannot meet itself.
_NOT_BEGUN = ("ConditionalRequestConflict", "OperationAborted", "SlowDown")
_PAUSES = tuple(timedelta(milliseconds=ms) for ms in (100, 200, 400, 800))


@cache
def _end_in_peace() -> None:
    """A thread of obstore that has just finished an operation still lets go of Python objects.

    If the interpreter ends in that moment, Python before 3.14 tears the thread out of its frames, and Rust aborts the process
    (PyO3 #4874). While `atexit` runs, the interpreter still serves such threads.
    """
    atexit.register(time.sleep, 0.05)


class ObjectChanged(Exception):
    """The object is not the one that was expected, or is gone."""


class Fetched(msgspec.Struct, frozen=True):
    """Bytes of an object, all or a part of them, and what is known of the whole."""

    data: bytes
    info: ObjectInfo


class Bucket:
    """Objects by key, below the configured prefix.

    Every method raises `StorageUnavailable` when the store fails or refuses, `Misconfigured` where an operator has to act.
    """

    def __init__(self, config: BucketConfig, clock: Clock) -> None:
        self.config = config
        self._clock = clock
        self._patient: S3Store | None = None
        self._once: S3Store | None = None

    async def put(
        self, key: str, data: bytes, *, media_type: str, if_absent: bool = False, if_etag: str | None = None
    ) -> str:
        """Write an object whole; returns its etag.

        Raises:
            ObjectExists: with `if_absent`.
            ObjectChanged: with `if_etag`, and another etag in place, or nothing.
        """
        mode: PutMode = "create" if if_absent else "overwrite" if if_etag is None else {"e_tag": f'"{if_etag}"'}
        async with self._limits(Operation.PUT):
            if mode == "overwrite":
                return await self._put(self._store(), key, data, media_type, mode)
            return await self._put_on_condition(key, data, media_type, mode)

    async def get(self, key: str) -> Fetched:
        """All bytes. Raises `ObjectNotFound`."""
        import obstore

        async with self._limits(Operation.READ):
            result = await obstore.get_async(self._store(), self._full(key))
            return Fetched(bytes(await result.bytes_async()), self._info(result.meta))

    async def get_part(self, key: str, start: int, end: int, *, if_etag: str | None = None) -> Fetched | None:
        """Bytes from `start` to before `end`, fewer at the end of the object; None when it ends before `start`.

        Raises:
            ObjectNotFound.
            ObjectChanged: with `if_etag`, and another etag in place.
        """
        import obstore

        options: GetOptions = {"range": (start, end)}
        if if_etag is not None:
            options["if_match"] = f'"{if_etag}"'
        try:
            async with self._limits(Operation.READ):
                result = await obstore.get_async(self._store(), self._full(key), options=options)
                return Fetched(bytes(await result.bytes_async()), self._info(result.meta))
        except StorageUnavailable as error:
            if error.attributes.get("s3_status") == 416:
                return None
            raise

    async def head(self, key: str) -> ObjectInfo | None:
        import obstore

        try:
            async with self._limits(Operation.READ):
                return self._info(await obstore.head_async(self._store(), self._full(key)))
        except StorageUnavailable as error:
            status = error.attributes.get("s3_status")
            if "s3_code" in error.attributes or status is None or status >= 500:
                raise
        # The answer to a HEAD has no body: only that to a GET tells an absent object from an absent bucket, which must never
        # pass for an empty one, and says why we are refused.
        try:
            return (await self.get(key)).info
        except ObjectNotFound:
            return None

    async def delete(self, keys: Sequence[str]) -> None:
        """Absent ones are fine."""
        import obstore

        for at in range(0, len(keys), _PAGE_OBJECTS):
            async with self._limits(Operation.DELETE):
                await obstore.delete_async(self._store(), [self._full(key) for key in keys[at : at + _PAGE_OBJECTS]])

    async def pages(self, prefix: str, after: str | None = None) -> AsyncIterator[Sequence[ObjectInfo]]:
        """What is below `prefix`, after the key `after` if there is one, a page at a time, in the order of the store's answers."""
        import obstore

        offset = None if after is None else self._full(after)
        listing = obstore.list(self._store(), self._full(prefix), offset=offset, chunk_size=_PAGE_OBJECTS)
        while True:
            try:
                async with self._limits(Operation.LIST):
                    page = await anext(listing)
            except StopAsyncIteration:
                return
            yield [self._info(meta) for meta in page]

    def close(self) -> None:
        """Connections end when the last operation has."""
        self._patient = self._once = None

    async def _put(self, store: S3Store, key: str, data: bytes, media_type: str, mode: PutMode) -> str:
        import obstore

        # In one request: an upload in parts that is cut leaves parts behind, and cannot be made on a condition.
        result = await obstore.put_async(
            store, self._full(key), data, attributes={"Content-Type": media_type}, mode=mode, use_multipart=False
        )
        return _bare(result["e_tag"])

    async def _put_on_condition(self, key: str, data: bytes, media_type: str, mode: PutMode) -> str:
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        for pause in (*_PAUSES, None):
            try:
                # Sent once: repeated after an answer was lost, the write would be refused on account of itself.
                return await self._put(self._store(retry=False), key, data, media_type, mode)
            except (BaseError, FileNotFoundError) as error:
                refusal = refusal_of_obstore(error)
                if refusal.code in _NOT_BEGUN and pause is not None:
                    await self._clock.sleep(pause)
                elif isinstance(error, AlreadyExistsError) and refusal.code not in _NOT_BEGUN:
                    raise ObjectExists() from None
                elif isinstance(error, PreconditionError) or refusal.code == "NoSuchKey":
                    raise ObjectChanged() from None
                else:
                    raise
        raise AssertionError("the last round returns or raises")

    @asynccontextmanager
    async def _limits(self, operation: Operation) -> AsyncIterator[None]:
        """Bounded in time; the library's errors become ours."""
        from obstore.exceptions import BaseError, PreconditionError

        try:
            async with asyncio.timeout(self.config.timeout_seconds):
                yield
        except TimeoutError:
            raise timed_out(operation, self.config) from None
        except PreconditionError:
            raise ObjectChanged() from None
        except (BaseError, FileNotFoundError) as error:
            refusal = refusal_of_obstore(error)
            if refusal.code == "NoSuchKey" and operation is Operation.READ:
                raise ObjectNotFound() from None
            raise unavailable(refusal, operation, self.config) from None

    def _store(self, *, retry: bool = True) -> S3Store:
        """Made when first needed: the library takes its time to import."""
        if retry:
            self._patient = self._patient or _opened(self.config, _RETRIES)
            return self._patient
        self._once = self._once or _opened(self.config, 0)
        return self._once

    def _full(self, key: str) -> str:
        return self.config.prefix + key

    def _info(self, meta: ObjectMeta) -> ObjectInfo:
        return ObjectInfo(
            key=meta["path"].removeprefix(self.config.prefix),
            size_bytes=meta["size"],
            etag=_bare(meta["e_tag"]),
            # Lists tell milliseconds and headers only seconds; of one object both are to say the same.
            modified_at=meta["last_modified"].replace(microsecond=0),
        )


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _opened(config: BucketConfig, retries: int) -> S3Store:
    from obstore.store import S3Store

    _end_in_peace()

    def credential() -> S3Credential:
        return {
            "access_key_id": config.access_key_id or "",
            "secret_access_key": config.secret_access_key or "",
            "token": config.session_token or None,
            "expires_at": None,
        }

    endpoint = config.bucket_url if config.virtual_hosted else config.store_url
    # The library reads AWS_… variables, which may be meant for something else on this machine: whatever could send
    # objects elsewhere or unprotected is said here, and the credential comes from a function for the same reason.
    settings: S3Config = {
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "region": config.signing_region,
        "virtual_hosted_style_request": config.virtual_hosted,
        "conditional_put": "etag",
        "skip_signature": False,
        "unsigned_payload": False,
        "s3_express": False,
        "disable_bulk_delete": False,
    }
    if config.encryption != "none":
        settings["server_side_encryption"] = config.encryption
    if config.kms_key_id:
        settings["sse_kms_key_id"] = config.kms_key_id
    limit = timedelta(seconds=config.timeout_seconds)
    client: ClientConfig = {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": min(limit / 4, timedelta(seconds=_LONGEST_CONNECT_SECONDS)),
        "timeout": limit / 2,  # so that a request that hangs is tried again
        "user_agent": "statuette",
    }
    if config.certificate_authority_file is not None:
        client["root_certificate"] = _authority(config, config.certificate_authority_file)
    patience: RetryConfig = {
        "max_retries": retries,
        "retry_timeout": limit,
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
    }
    return S3Store(
        config.bucket, config=settings, client_options=client, retry_config=patience, credential_provider=credential
    )


def _authority(config: BucketConfig, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"The file {file} cannot be read: {error.strerror}.",
            cure=f"Check `certificate_authority_file` of the plugin {config.plugin}.",
        ) from None
