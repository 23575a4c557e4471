"""What may be read to improve models: the only way to it, and only for people who agree while it is read.

People are asked one by one, and again before every batch of theirs: until then nothing of theirs is read, from the database or
from the store. Who is who does not leave: people and pictures are numbered, anew in each export.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from statuette.errors import NotFound
from statuette.kernel.db.database import Database, Reader
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.consent.service import ConsentRequired
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.usage import service
from statuette.kernel.permit import PermitRefused
from statuette.policy import enforces
from statuette.ports.storage import ObjectNotFound, Storage

PURPOSE = "improvement"
CATEGORIES = frozenset({"figurine", "style_choices", "usage_record"})
BATCH = 20
_ACCOUNTS_AT_ONCE = 200


class Example(msgspec.Struct, frozen=True):
    """A figurine, its style, and what its owner thinks of it.

    Attributes:
        person: a number; the same for all that is one person's in this export, and another in the next.
        style, stars: None where nothing is known of it.
    """

    person: int
    figurine: int
    style: str | None
    stars: int | None
    media_type: str
    width: int
    height: int
    picture: bytes | None = None


class Export:
    """Reads what people let be read.

    Args:
        storage: where pictures are; None: they are left out.
    """

    def __init__(self, database: Database, brand: LoadedBrand, storage: Storage | None) -> None:
        self._database = database
        self._brand = brand
        self._storage = storage
        self._people = 0
        self._figurines = 0

    async def examples(self) -> AsyncIterator[Example]:
        """Everything, in constant memory. Who withdraws meanwhile is left out from the next batch on.

        Raises:
            PermitRefused: the brand does not offer this purpose.
        """
        if PURPOSE not in self._brand.policy.purposes:
            raise PermitRefused(
                purpose=PURPOSE,
                categories=sorted(CATEGORIES),
                cure=f'Add `purposes = ["{PURPOSE}"]` to the brand\'s file, so that people are asked.',
            )
        after = ""
        while True:
            async with self._database.read() as reader:
                page = await accounts.of_brand(
                    reader, self._brand.id, after=after, made_before=reader.now, limit=_ACCOUNTS_AT_ONCE
                )
            for account_id in page:
                async for example in self._of_account(account_id):
                    yield example
            if len(page) < _ACCOUNTS_AT_ONCE:
                return
            after = page[-1]

    async def _of_account(self, account_id: str) -> AsyncIterator[Example]:
        self._people += 1
        before: str | None = None
        while True:
            async with self._database.read() as reader:
                batch = await self._batch(reader, account_id, before)
            if not batch:
                return
            for figurine_id, example in batch:
                if (whole := await self._with_picture(account_id, figurine_id, example)) is not None:
                    yield whole
            before = batch[-1][0]

    async def _batch(self, reader: Reader, account_id: str, before: str | None) -> list[tuple[str, Example]]:
        try:
            await require(reader, self._brand, account_id)
        except (ConsentRequired, PermitRefused):
            return []
        found = []
        for row in await figurines.page(reader, self._brand.id, account_id, before=before, limit=BATCH):
            known = await service.taste(
                reader, figurine_id=row.id, generation_id=row.generation_id, policy=self._brand.policy
            )
            self._figurines += 1
            stars = int(known.level) if known.level else None
            example = Example(
                self._people, self._figurines, known.style or None, stars, row.media_type, row.width, row.height
            )
            found.append((row.id, example))
        return found

    async def _with_picture(self, account_id: str, figurine_id: str, example: Example) -> Example | None:
        """None: it may not be read any more, or is gone."""
        if self._storage is None:
            return example
        async with self._database.read() as reader:  # a picture takes a while: people may have thought again
            try:
                await require(reader, self._brand, account_id)
                await figurines.get(reader, self._brand.id, account_id, figurine_id)
            except (ConsentRequired, PermitRefused, NotFound):
                return None
        key = figurines.object_key(self._brand.id, figurine_id, "original")
        try:
            picture = b"".join([piece async for piece in self._storage.stream(key)])
        except ObjectNotFound:
            return None
        return msgspec.structs.replace(example, picture=picture)


@enforces("purpose.improvement")
async def require(reader: Reader, brand: LoadedBrand, account_id: str) -> None:
    """Raises `ConsentRequired`, `PermitRefused`."""
    await consent.mint_permit(
        reader,
        brand_id=brand.id,
        account_id=account_id,
        purpose=PURPOSE,
        categories=CATEGORIES,
        policy=brand.policy,
    )
