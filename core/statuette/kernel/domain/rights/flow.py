"""Asking, following and answering privacy requests: commit, call, commit."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import msgspec

from statuette.dataset import Dataset
from statuette.errors import InvalidInput, NotFound
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.address import parse_address
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.consent import stops
from statuette.kernel.domain.consent.stops import EVERY_PURPOSE, StopReason
from statuette.kernel.domain.generations import service as generations
from statuette.kernel.domain.generations.service import Generations
from statuette.kernel.domain.rights import repository, service
from statuette.kernel.domain.rights.archive import archive
from statuette.kernel.domain.rights.asking import ERASE, Requests
from statuette.kernel.domain.rights.repository import EventRow, RequestRow
from statuette.kernel.domain.rights.schemas import PrivacyRequestBody
from statuette.kernel.domain.rights.service import ADDRESS, Kind, Sealed, State
from statuette.kernel.evidence import holders
from statuette.kernel.http.images import ImageSigner
from statuette.kernel.idempotency.once import Once
from statuette.policy import enforces
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.ports.storage import Storage
from statuette.values import new_id

CONCLUDED_AT_ONCE = 100
COPY_STAYS = timedelta(days=7)
_LINK_LASTS = timedelta(minutes=15)


class PurposeMissing(InvalidInput):
    code = "purpose_missing"
    summary = "Say which use of data this is about."


class Contact(msgspec.Struct, frozen=True):
    """Whom to write to when there is no account any more, and where the receipt is."""

    email: str
    locale: str
    address: str

    def __repr__(self) -> str:
        return "Contact()"


class Asked(msgspec.Struct, frozen=True):
    """Attributes:
    receipt_address: of an erasure that was asked for just now.
    """

    request: RequestRow
    steps: list[EventRow]
    receipt_address: str | None = None


class RightsFlow:
    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        requests: Requests,
        generations: Generations,
        brands: BrandDirectory,
        storage: Storage,
        datasets: Mapping[str, Dataset],
        signer: ImageSigner,
        *,
        public_url: str,
    ) -> None:
        self._brands = brands
        self._storage = storage
        self._datasets = datasets
        self._signer = signer
        self._database = database
        self._cipher = cipher
        self._requests = requests
        self._generations = generations
        self._public_url = public_url

    async def ask(
        self, brand: LoadedBrand, account_id: str, session_id: str, body: PrivacyRequestBody, once: Once | None
    ) -> Asked:
        """Ask for something, or find what the same keyed request asked for.

        Raises:
            IdentityNotConfirmed: for what shows everything or cannot be taken back.
            RequestIsOpen, NotFound (a purpose), PurposeMissing, PurposeNotOptional; KeyStoreUnavailable (retryable).
        """
        kind = Kind(body.kind)
        request_id = new_id("prq", self._database.clock.now())
        if kind is Kind.erasure:
            return await self._ask_erasure(brand, account_id, session_id, request_id, body, once)
        statement = await self._cipher.seal(account_id, "statement", body.statement) if body.statement else None
        write = partial(self._write, brand=brand, account_id=account_id, request_id=request_id)
        step: Callable[[Transaction], Awaitable[RequestRow]]
        match kind:
            case Kind.access | Kind.portability:
                step = partial(write, kind=kind, state=State.completed, sealed=Sealed(statement), session_id=session_id)
            case Kind.correction:
                step = partial(write, kind=kind, state=State.open, sealed=Sealed(statement))
            case Kind.restriction:
                step = partial(self._restrict, write, brand, account_id, request_id, Sealed(statement))
            case Kind.withdrawal:
                step = partial(self._withdraw, write, brand, account_id, _purpose(brand, body), Sealed(statement))
            case Kind.objection:
                step = partial(
                    self._object, write, brand, account_id, request_id, _purpose(brand, body), Sealed(statement)
                )
        return await self._asked(brand, account_id, step, once)

    async def read(self, brand: LoadedBrand, account_id: str, request_id: str) -> Asked:
        """Raises `NotFound`."""
        async with self._database.read() as reader:
            row = await service.get(reader, brand.id, account_id, request_id)
            return Asked(row, await service.steps(reader, request_id))

    async def listed(self, brand: LoadedBrand, account_id: str, *, before: str | None, limit: int) -> list[RequestRow]:
        """Newest first."""
        async with self._database.read() as reader:
            return await repository.page_of_account(reader, brand.id, account_id, before=before, limit=limit)

    async def cancel(self, brand: LoadedBrand, account_id: str, request_id: str) -> Asked:
        """Take a request back. Raises `NotFound`, `RequestIsOver`."""
        row = await self._database.run(lambda tx: self._requests.cancel(tx, brand, account_id, request_id))
        return await self.read(brand, account_id, row.id)

    async def change_address(
        self, brand: LoadedBrand, account_id: str, session_id: str, *, email: str, code: str
    ) -> Asked:
        """Correct the account's address. The new one has shown a code that was mailed to it; the old one gets a letter.

        Raises:
            InvalidEmail, SigninFailed, IdentityNotConfirmed (by a code to the old address), AddressTaken; final.
            KeyStoreUnavailable: retryable.
        """
        address = parse_address(email)
        index = self._cipher.blind_index(brand.id, address)
        async with self._database.read() as reader:
            await accounts.require_identity(reader, brand.id, account_id, session_id)
            person = await accounts.profile(reader, self._cipher, brand.id, account_id)
        row = await self._database.run(lambda tx: accounts.spend_attempt(tx, brand.id, index))
        if not accounts.matches(self._cipher, brand.id, index, row, "".join(code.split())) or row is None:
            raise accounts.SigninFailed()
        code_id, request_id = row.id, new_id("prq", self._database.clock.now())
        await self._cipher.prepare(request_id)
        contact = msgspec.json.encode(Contact(person.email, person.locale, "")).decode()
        sealed = Sealed(
            statement=await self._cipher.seal(account_id, "statement", f"until now: {person.email}"),
            contact=await self._cipher.seal(request_id, "contact", contact),
        )
        new = await self._cipher.seal(account_id, "email", address)

        async def change(tx: Transaction) -> RequestRow:
            await accounts.require_identity(tx, brand.id, account_id, session_id)
            await accounts.change_address(tx, brand.id, account_id, code_id=code_id, email=new, email_index=index)
            return await self._requests.ask(
                tx,
                brand,
                account_id,
                request_id=request_id,
                kind=Kind.correction,
                state=State.completed,
                subject=ADDRESS,
                sealed=sealed,
            )

        try:
            return await self._asked(brand, account_id, change, None)
        except (accounts.AddressTaken, accounts.SigninFailed, accounts.IdentityNotConfirmed):
            await self._drop_key(request_id)  # rolled back for certain
            raise

    async def download_link(
        self, brand: LoadedBrand, account_id: str, session_id: str, request_id: str
    ) -> tuple[str, datetime]:
        """An address of the copy that was asked for, and until when it works.

        Raises:
            IdentityNotConfirmed. NotFound: there is no such copy, or it was asked for too long ago.
        """
        async with self._database.read() as reader:
            await accounts.require_identity(reader, brand.id, account_id, session_id)
            await service.get_copy(reader, brand.id, account_id, request_id, within=COPY_STAYS)
            expires_at = reader.now + _LINK_LASTS
        return self._signer.url(brand.id, "copies", request_id, "archive", expires_at), expires_at

    @enforces("right.access", "right.portability")
    async def copy(self, brand_id: str, request_id: str, *, expires: int, signature: str) -> AsyncIterator[bytes]:
        """The copy behind such an address: a ZIP in pieces. Raises `NotFound`."""
        async with self._database.read() as reader:
            now = reader.now
            left = self._signer.remaining(brand_id, "copies", request_id, "archive", expires, signature, now)
            if left is None:
                raise NotFound("The address has expired or was not made by us.")
            row = await service.of_brand(reader, brand_id, request_id)
            await accounts.require(reader, brand_id, row.account_id)
        brand = await self._brands.by_id(brand_id)
        return archive(
            self._database,
            self._storage,
            self._datasets,
            brand.policy,
            account_id=row.account_id,
            brand_title=brand.config.title,
            made_at=now,
        )

    async def conclude_erasures(self) -> int:
        """Close erasures that are done. The scheduler's job."""
        return await self._database.run(lambda tx: self._requests.conclude_erasures(tx, CONCLUDED_AT_ONCE))

    async def warn(self) -> int:
        """Have an operator look at requests whose time is nearly over. The scheduler's job."""
        return await self._database.run(self._requests.warn)

    async def _asked(
        self,
        brand: LoadedBrand,
        account_id: str,
        step: Callable[[Transaction], Awaitable[RequestRow]],
        once: Once | None,
        receipt_address: str | None = None,
    ) -> Asked:
        async def ask(tx: Transaction) -> Asked:
            if once is not None and (made := await once.begin(tx)) is not None:
                row = await service.get(tx, brand.id, account_id, made.resource_id)
                return Asked(row, await service.steps(tx, row.id))
            row = await step(tx)
            if once is not None:
                await once.finish(tx, status=201, resource_id=row.id)
            return Asked(row, await service.steps(tx, row.id), receipt_address)

        return await self._database.run(ask)

    async def _ask_erasure(
        self,
        brand: LoadedBrand,
        account_id: str,
        session_id: str,
        request_id: str,
        body: PrivacyRequestBody,
        once: Once | None,
    ) -> Asked:
        token = holders.new_token(account_id)
        address = f"{self._public_url}/v1/erasures/{token}"
        async with self._database.read() as reader:
            await accounts.require_identity(reader, brand.id, account_id, session_id)
            person = await accounts.profile(reader, self._cipher, brand.id, account_id)
        await self._cipher.prepare(request_id)
        contact = msgspec.json.encode(Contact(person.email, person.locale, address)).decode()
        sealed = Sealed(contact=await self._cipher.seal(request_id, "contact", contact))

        async def erase(tx: Transaction) -> RequestRow:
            await accounts.require_identity(tx, brand.id, account_id, session_id)
            effective_at = tx.now if body.at_once else brand.policy.rule(ERASE).due(tx.now)
            row = await self._requests.ask(
                tx,
                brand,
                account_id,
                request_id=request_id,
                kind=Kind.erasure,
                state=State.scheduled,
                sealed=sealed,
                holder=holders.holder_of(token),
                effective_at=effective_at,
            )
            await self._requests.close_account(
                tx, brand, account_id, request_id=request_id, due_at=effective_at, token=token
            )
            return row

        try:
            asked = await self._asked(brand, account_id, erase, once, address)
        except (service.RequestIsOpen, NotFound, accounts.IdentityNotConfirmed):
            await self._drop_key(request_id)  # rolled back for certain
            raise
        if asked.request.id != request_id:
            await self._drop_key(request_id)
        return asked

    async def _write(
        self,
        tx: Transaction,
        *,
        brand: LoadedBrand,
        account_id: str,
        request_id: str,
        kind: Kind,
        state: State,
        sealed: Sealed,
        subject: str | None = None,
        session_id: str | None = None,
    ) -> RequestRow:
        """Args:
        session_id: of whoever has to have entered a code just now.
        """
        if session_id is not None:
            await accounts.require_identity(tx, brand.id, account_id, session_id)
        return await self._requests.ask(
            tx, brand, account_id, request_id=request_id, kind=kind, state=state, subject=subject, sealed=sealed
        )

    async def _restrict(
        self,
        write: Callable[..., Awaitable[RequestRow]],
        brand: LoadedBrand,
        account_id: str,
        request_id: str,
        sealed: Sealed,
        tx: Transaction,
    ) -> RequestRow:
        row = await write(tx, kind=Kind.restriction, state=State.in_force, sealed=sealed)
        await stops.stop(
            tx,
            brand_id=brand.id,
            account_id=account_id,
            purpose=EVERY_PURPOSE,
            reason=StopReason.restriction,
            request_id=request_id,
        )
        await self._generations.end_all(tx, brand_id=brand.id, account_id=account_id, reason="processing_restricted")
        return row

    async def _withdraw(
        self,
        write: Callable[..., Awaitable[RequestRow]],
        brand: LoadedBrand,
        account_id: str,
        purpose: str,
        sealed: Sealed,
        tx: Transaction,
    ) -> RequestRow:
        await consent.decide(
            tx,
            brand_id=brand.id,
            account_id=account_id,
            purpose=purpose,
            granted=False,
            seen_statement_digest=None,
            policy=brand.policy,
            locale=await accounts.locale_of(tx, brand.id, account_id) or "en",
            surface="privacy_request",
        )
        if purpose == generations.PURPOSE:
            await self._generations.withdraw_consent(tx, brand_id=brand.id, account_id=account_id)
        return await write(tx, kind=Kind.withdrawal, state=State.completed, subject=purpose, sealed=sealed)

    async def _object(
        self,
        write: Callable[..., Awaitable[RequestRow]],
        brand: LoadedBrand,
        account_id: str,
        request_id: str,
        purpose: str,
        sealed: Sealed,
        tx: Transaction,
    ) -> RequestRow:
        """The use stops at once, and the operator decides whether it has to go on (GDPR Art. 21(1), 18(1)(d))."""
        row = await write(tx, kind=Kind.objection, state=State.open, subject=purpose, sealed=sealed)
        await stops.stop(
            tx,
            brand_id=brand.id,
            account_id=account_id,
            purpose=purpose,
            reason=StopReason.objection,
            request_id=request_id,
        )
        if purpose == generations.PURPOSE:
            await self._generations.end_all(tx, brand_id=brand.id, account_id=account_id, reason="processing_objected")
        return row

    async def _drop_key(self, request_id: str) -> None:
        # A key that stays behind opens nothing: no row was ever written under it.
        with contextlib.suppress(KeyStoreUnavailable, KeyDestroyed):
            await self._cipher.destroy(request_id)


def _purpose(brand: LoadedBrand, body: PrivacyRequestBody) -> str:
    if body.purpose is None:
        raise PurposeMissing(cure="Name one of `GET /v1/account/consents` in `purpose`.")
    if body.purpose not in brand.policy.purposes:
        raise NotFound("There is no such purpose.")
    return body.purpose
