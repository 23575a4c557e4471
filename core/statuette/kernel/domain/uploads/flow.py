"""Taking a photo in: decode in a child process, commit row and deadlines, store the bytes, commit again."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from statuette.errors import NotFound
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.errors import CommitOutcomeUnknown
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.statements import service as statements
from statuette.kernel.domain.statements.words import of_accounts, of_uploads
from statuette.kernel.domain.uploads import service
from statuette.kernel.enforcement.leftovers import Leftovers
from statuette.kernel.idempotency.once import Once
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.pixels.results import NormalisedPhoto
from statuette.ports.storage import Storage

PURPOSE = "generation"


class UploadFlow:
    def __init__(
        self, database: Database, storage: Storage, leftovers: Leftovers, pixels: PixelPool, longest_job: timedelta
    ) -> None:
        self._database = database
        self._storage = storage
        self._leftovers = leftovers
        self._pixels = pixels
        self._longest_job = longest_job

    async def check(self, brand: LoadedBrand, account_id: str) -> None:
        """Whether this account may upload at all; asked before the body is read.

        Raises:
            ConsentRequired, StatementsMissing.
        """
        async with self._database.read() as reader:
            await statements.require(reader, brand.id, account_id, of_accounts(brand.config))
            await consent.mint_permit(
                reader,
                brand_id=brand.id,
                account_id=account_id,
                purpose=PURPOSE,
                categories=frozenset({"photo"}),
                policy=brand.policy,
            )

    async def state(
        self, brand: LoadedBrand, account_id: str, upload_id: str, *, digest: str | None, locale: str
    ) -> None:
        """State anew that a photo may be used. Raises `NotFound`, `StatementOutdated`."""
        stated = service.stated(of_uploads(brand.config), digest, locale)
        await self._database.run(
            lambda tx: service.state(tx, brand_id=brand.id, account_id=account_id, upload_id=upload_id, stated=stated)
        )

    async def take_in(
        self,
        brand: LoadedBrand,
        account_id: str,
        *,
        statement: bool,
        data: bytes,
        digest: str | None = None,
        locale: str = "en",
        once: Once | None = None,
    ) -> str:
        """Store a photo; returns the upload's id once it is durable.

        Args:
            digest: of the words of the statement that the person was shown; None: those in force in the language of `locale`.
            once: a claimed key, finished in the transaction that makes the upload ready.

        Raises:
            StatementRequired, StatementOutdated, ConsentRequired, StatementsMissing, InvalidInput (the picture),
            StorageUnavailable, NotFound (a deadline passed before the bytes were stored).
        """
        service.refuse_silence(statement)
        stated = service.stated(of_uploads(brand.config), digest, locale)
        await self.check(brand, account_id)
        with telemetry.span("intake"):
            photo = await self._pixels.normalise(data)
        upload_id = await self._database.run(
            lambda tx: service.begin(
                tx,
                brand_id=brand.id,
                account_id=account_id,
                stated=stated,
                policy=brand.policy,
                longest_job=self._longest_job,
            )
        )
        key = service.object_key(brand.id, upload_id)
        try:
            with telemetry.span("storage put"):
                await self._storage.put(key, photo.data, media_type=photo.media_type)
            await self._database.run(lambda tx: _complete(tx, brand, upload_id, photo, once))
        except CommitOutcomeUnknown:
            # It is there and answers for its key, or its own deadline removes it.
            raise
        except NotFound:
            # A slow store let a deadline pass: the enforcer may have been here before these bytes were.
            await self._leftovers.remove((service.object_prefix(brand.id, upload_id),))
            raise
        except BaseException:
            # Part of it may be there: have it removed now instead of at its deadline.
            with suppress(NotFound):
                await self._database.run(
                    lambda tx: service.ask_deletion(tx, brand_id=brand.id, account_id=account_id, upload_id=upload_id)
                )
            raise
        return upload_id


async def _complete(
    tx: Transaction, brand: LoadedBrand, upload_id: str, photo: NormalisedPhoto, once: Once | None
) -> None:
    await service.complete(tx, brand.id, upload_id, photo)
    if once is not None:
        await once.finish(tx, status=201, resource_id=upload_id)
