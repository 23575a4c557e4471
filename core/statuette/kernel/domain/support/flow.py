"""Units of work of whoever asks: what they write is sealed before a transaction begins, what they attach is stored between two."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

import msgspec

from statuette.errors import InvalidInput, NotFound
from statuette.kernel import telemetry
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.db.errors import CommitOutcomeUnknown
from statuette.kernel.domain.accounts.address import parse_address
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.support import attachments, repository, service
from statuette.kernel.domain.support.attachments import Taken
from statuette.kernel.domain.support.owner import Owner, sealing_key
from statuette.kernel.domain.support.places import object_key, object_prefix
from statuette.kernel.domain.support.repository import AttachmentRow, Sealed
from statuette.kernel.domain.support.schemas import QuestionBody, QuestionOpened, QuestionSummary, QuestionView
from statuette.kernel.domain.support.views import gathered, shown, summary
from statuette.kernel.domain.support.writing import checked_line, checked_text
from statuette.kernel.enforcement.leftovers import Leftovers
from statuette.kernel.http.multipart import FormFile
from statuette.kernel.idempotency.once import Once
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.work.outbox import Outbox
from statuette.ports.storage import Storage
from statuette.values import new_id

LET_GO_AT_ONCE = 100


class ContactMissing(InvalidInput):
    """Without an account nobody can be answered who names no address. Final."""

    code = "contact_missing"
    summary = "Without an account a question needs an e-mail address."


class ContactNotNeeded(InvalidInput):
    """The answer goes to the account's address, and to no other. Final."""

    code = "contact_not_needed"
    summary = "With an account a question takes no e-mail address."


class _Written(msgspec.Struct, frozen=True):
    """A question, ready to be written down.

    Attributes:
        token: told once, without an account.
    """

    question_id: str
    account_id: str | None
    body: QuestionBody
    sealed: Sealed
    text: bytes
    token: str | None


class SupportFlow:
    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        brands: BrandDirectory,
        cipher: FieldCipher,
        storage: Storage,
        leftovers: Leftovers,
        pixels: PixelPool,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._cipher = cipher
        self._storage = storage
        self._leftovers = leftovers
        self._pixels = pixels

    async def open(
        self,
        brand: LoadedBrand,
        account_id: str | None,
        body: QuestionBody,
        files: Sequence[FormFile] = (),
        once: Once | None = None,
    ) -> QuestionOpened:
        """Take a question in, or find the one that the same keyed request made; durable on return.

        Raises:
            ContactMissing, ContactNotNeeded, InvalidEmail, InvalidInput; TooManyAttachments and the other refusals of what is
            attached; RequestInFlight, IdempotencyKeyReused; KeyStoreUnavailable, StorageUnavailable. NotFound: it was given up
            before everything was stored.
        """
        contact = _contact(account_id, body.email)
        subject, message = checked_line(body.subject), checked_text(body.message)
        attachments.check(files)
        claimed = once if files else None
        if claimed is not None and (made := await self._claim(claimed)) is not None:
            return QuestionOpened(made, None)
        try:
            with telemetry.span("intake"):
                taken = [await attachments.taken(self._pixels, file) for file in files]
            question_id = new_id("sup", self._database.clock.now())
            key = sealing_key(question_id, account_id)
            if account_id is None:
                await self._cipher.prepare(key)
            written = _Written(
                question_id,
                account_id,
                body,
                Sealed(
                    await self._cipher.seal(key, "contact", contact) if contact is not None else None,
                    await self._cipher.seal(key, "subject", subject),
                ),
                await self._cipher.seal(key, "text", message),
                f"spt_{secrets.token_urlsafe(24)}" if account_id is None else None,
            )
            made_before = await self._begin(brand, written, receiving=bool(taken), once=None if taken else once)
            if made_before is not None:
                return QuestionOpened(made_before, None)
            if taken:
                await self._store(brand, question_id, taken, once)
        except Exception:
            if claimed is not None:
                await self._database.run(claimed.abandon)
            raise
        return QuestionOpened(question_id, written.token)

    async def read(self, brand: LoadedBrand, owner: Owner, question_id: str) -> QuestionView:
        """Raises `NotFound`."""
        async with self._database.read() as reader:
            found = await gathered(reader, await service.get(reader, brand.id, question_id, owner))
        return await shown(self._cipher, found)

    async def listed(
        self, brand: LoadedBrand, account_id: str, *, before: str | None, limit: int
    ) -> list[QuestionSummary]:
        """Newest first."""
        async with self._database.read() as reader:
            rows = await repository.page_of_account(reader, brand.id, account_id, before=before, limit=limit)
            found = [await gathered(reader, row, whole=False) for row in rows]
        return [await summary(self._cipher, each) for each in found]

    async def add(
        self, brand: LoadedBrand, owner: Owner, question_id: str, message: str, once: Once | None = None
    ) -> None:
        """Write again; a closed question is open again. Raises `NotFound`, `InvalidInput`."""
        text = checked_text(message)
        async with self._database.read() as reader:
            row = await service.get(reader, brand.id, question_id, owner)
        sealed = await self._cipher.seal(sealing_key(row.id, row.account_id), "text", text)

        async def add(tx: Transaction) -> None:
            if once is not None and await once.begin(tx) is not None:
                return
            await service.add(
                tx, brand_id=brand.id, question_id=question_id, owner=owner, text=sealed, policy=brand.policy
            )
            if once is not None:
                await once.finish(tx, status=201, resource_id=question_id)

        await self._database.run(add)

    async def close(self, brand: LoadedBrand, owner: Owner, question_id: str) -> None:
        """Raises `NotFound`."""
        await self._database.run(
            lambda tx: service.close(
                tx, self._outbox, brand_id=brand.id, question_id=question_id, policy=brand.policy, owner=owner
            )
        )

    async def delete(self, brand: LoadedBrand, owner: Owner, question_id: str) -> None:
        """Raises `NotFound`."""
        await self._database.run(
            lambda tx: service.ask_deletion(tx, brand_id=brand.id, question_id=question_id, owner=owner)
        )

    async def attachment(self, brand: LoadedBrand, owner: Owner, question_id: str, attachment_id: str) -> AttachmentRow:
        """Raises `NotFound`."""
        async with self._database.read() as reader:
            row = await service.get(reader, brand.id, question_id, owner)
            return await service.attachment(reader, row, attachment_id)

    async def look(self) -> int:
        """Close questions in which nobody writes any more; returns how many were looked at. A duty of the scheduler's."""
        async with self._database.read() as reader:
            rows = await service.quiet(reader, LET_GO_AT_ONCE)
        for row in rows:
            brand = await self._brands.by_id(row.brand_id)
            await self._database.run(partial(service.let_go, outbox=self._outbox, row=row, policy=brand.policy))
        return len(rows)

    async def _claim(self, once: Once) -> str | None:
        """Claim the key of a request that calls outside; the id of what it made, if it did."""
        try:
            made = await self._database.run(partial(once.begin, outside_call=True))
        except CommitOutcomeUnknown:
            # The key may be claimed now, for a request that nobody is at.
            await self._database.run(once.abandon)
            raise
        return made.resource_id if made is not None else None

    async def _begin(self, brand: LoadedBrand, written: _Written, *, receiving: bool, once: Once | None) -> str | None:
        """Write the question down. The id of the one that the same request made before, if it did."""

        async def begin(tx: Transaction) -> str | None:
            if once is not None and (made := await once.begin(tx)) is not None:
                return made.resource_id
            await service.open_question(
                tx,
                question_id=written.question_id,
                brand_id=brand.id,
                account_id=written.account_id,
                category=written.body.category,
                locale=written.body.locale,
                sealed=written.sealed,
                text=written.text,
                token=written.token,
                policy=brand.policy,
                receiving=receiving,
            )
            if once is not None:
                await once.finish(tx, status=201, resource_id=written.question_id)
            return None

        try:
            made = await self._database.run(begin)
        except CommitOutcomeUnknown:
            raise  # it may be there, and its key with it
        except Exception:
            await self._drop_key(written)
            raise
        if made is not None:
            await self._drop_key(written)
        return made

    async def _store(self, brand: LoadedBrand, question_id: str, taken: Sequence[Taken], once: Once | None) -> None:
        """Store what is attached, and let the question be seen."""
        now = self._database.clock.now()
        ids = sorted([new_id("sat", now) for _ in taken])  # of one moment, and listed in the order in which they came
        rows = [
            AttachmentRow(attachment_id, question_id, each.media_type, len(each.data), each.sha256)
            for attachment_id, each in zip(ids, taken, strict=True)
        ]

        async def complete(tx: Transaction) -> None:
            await service.complete(tx, brand.id, question_id, rows)
            if once is not None:
                await once.finish(tx, status=201, resource_id=question_id)

        try:
            with telemetry.span("storage put"):
                for row, each in zip(rows, taken, strict=True):
                    key = object_key(brand.id, question_id, row.id, row.media_type)
                    await self._storage.put(key, each.data, media_type=each.media_type)
            await self._database.run(complete)
        except CommitOutcomeUnknown:
            # It is there and answers for its key, or the duty that looks for what was never taken in gives it up.
            raise
        except NotFound:
            # A slow store: the question was given up, and the enforcer may have been here before these bytes were.
            await self._leftovers.remove((object_prefix(brand.id, question_id),))
            raise
        except BaseException:
            # Part of it may be there: have it removed now.
            await self._database.run(partial(service.give_up, brand_id=brand.id, question_id=question_id))
            raise

    async def _drop_key(self, written: _Written) -> None:
        if written.account_id is None:
            await self._cipher.destroy(written.question_id)


def _contact(account_id: str | None, email: str | None) -> str | None:
    """The address to answer to, where it is not the account's. Raises `ContactMissing`, `ContactNotNeeded`, `InvalidEmail`."""
    if account_id is not None:
        if email is not None:
            raise ContactNotNeeded(field="email", cure="Leave `email` out, or ask without being signed in.")
        return None
    if email is None:
        raise ContactMissing(field="email", cure="Send `email`, or ask signed in.")
    return parse_address(email)
