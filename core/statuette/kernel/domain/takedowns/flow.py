"""Units of work on takedowns: what people write is sealed before a transaction begins."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import partial

from statuette.errors import InvalidInput, NotFound
from statuette.kernel.access.masking import masked_address
from statuette.kernel.access.reveals import Look, Subject, uncover
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts.address import parse_address
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.takedowns import repository, service
from statuette.kernel.domain.takedowns.repository import CaseRow, PictureRow, Sealed
from statuette.kernel.domain.takedowns.schemas import (
    OwnTakedown,
    RevealedAppeal,
    RevealedTakedown,
    TakedownOpened,
    TakedownPictureView,
    TakedownRequest,
    TakedownView,
)
from statuette.kernel.domain.takedowns.service import Named, Verdict, sealing_key
from statuette.kernel.work.outbox import Outbox
from statuette.policy import enforces
from statuette.values import is_id, new_id

LOOKED_AT_ONCE = 100
TO_DECIDE = "to_decide"
"""Why whoever decides on a case looks at its pictures."""
_OWN_AT_MOST = 100
_ADDRESS = re.compile(r"/v1/images/[^/]+/(?:figurines|uploads)/([^/?#]+)/")


class NothingNamed(InvalidInput):
    """Neither an address of this site, nor an id, nor a digest. Final."""

    code = "no_picture_named"
    summary = "The request names no picture."


class TakedownFlow:
    def __init__(self, database: Database, outbox: Outbox, cipher: FieldCipher) -> None:
        self._database = database
        self._outbox = outbox
        self._cipher = cipher

    @enforces("depicted.takedown")
    async def open(self, brand: LoadedBrand, request: TakedownRequest) -> TakedownOpened:
        """Open a case; durable, and hidden, on return. The answer is the same whether or not there is such a picture.

        Raises:
            InvalidEmail, NothingNamed, KeyStoreUnavailable.
        """
        named = _named(request)
        address = parse_address(request.email)
        subject, case_id = sealing_key(brand.id), new_id("tkd", self._database.clock.now())
        await self._cipher.prepare(subject)
        sealed = Sealed(
            await self._cipher.seal(subject, "contact", address),
            await self._cipher.seal(subject, "message", request.message) if request.message else None,
            request.locale,
        )
        token = f"tkt_{secrets.token_urlsafe(24)}"
        case = await self._database.run(
            lambda tx: service.open_case(
                tx,
                self._outbox,
                case_id=case_id,
                brand_id=brand.id,
                named=named,
                reason=request.reason,
                sealed=sealed,
                token=token,
                policy=brand.policy,
            )
        )
        return TakedownOpened(case.id, token, case.decide_by)

    async def read(self, brand: LoadedBrand, case_id: str) -> TakedownView:
        """A case for an operator: without what was written, and with the outline of an address. Raises `NotFound`."""
        async with self._database.read() as reader:
            case = await service.get(reader, brand.id, case_id)
            sealed = await repository.sealed(reader, case_id)
            pictures = await repository.pictures(reader, case_id)
        subject = sealing_key(brand.id)
        contact = masked_address(await self._cipher.open(subject, "contact", sealed.contact)) if sealed else None
        return view(case, contact, sealed is not None and sealed.message is not None, pictures)

    async def revealed(self, brand: LoadedBrand, case_id: str, *, actor: str, reason: str) -> RevealedTakedown:
        """What was written; that it was read is on record before, for each of those who wrote. Raises `NotFound`."""

        async def find(tx: Transaction) -> tuple[list[Look], tuple[Sealed | None, list[PictureRow]]]:
            await service.get(tx, brand.id, case_id)
            appealed = [each for each in await repository.pictures(tx, case_id) if each.appeal is not None]
            whom = [None, *sorted({each.account_id for each in appealed})]
            looks = [Look(Subject.takedown, case_id, account_id) for account_id in whom]
            return looks, (await repository.sealed(tx, case_id), appealed)

        async def show(found: tuple[Sealed | None, list[PictureRow]]) -> RevealedTakedown:
            sealed, appealed = found
            subject, contact, message = sealing_key(brand.id), None, None
            if sealed is not None:
                contact = await self._cipher.open(subject, "contact", sealed.contact)
                message = await self._cipher.open(subject, "message", sealed.message) if sealed.message else None
            appeals = [
                RevealedAppeal(each.record_id, await self._cipher.open(each.account_id, "appeal", each.appeal))
                for each in appealed
                if each.appeal is not None
            ]
            return RevealedTakedown(contact, message, appeals)

        return await uncover(self._database, find, show, brand_id=brand.id, actor=actor, reason=reason)

    async def looked_at(self, brand: LoadedBrand, case_id: str, record_id: str, *, actor: str) -> PictureRow:
        """A picture of a case, about to be shown to whoever decides; that it is looked at is on record. Raises `NotFound`."""

        async def find(tx: Transaction) -> tuple[list[Look], PictureRow]:
            await service.get(tx, brand.id, case_id)
            for each in await repository.pictures(tx, case_id):
                if each.record_id == record_id:
                    return [Look(Subject.takedown_picture, case_id, each.account_id)], each
            raise NotFound()

        async def show(found: PictureRow) -> PictureRow:
            return found

        return await uncover(self._database, find, show, brand_id=brand.id, actor=actor, reason=TO_DECIDE)

    async def decide(self, brand: LoadedBrand, case_id: str, verdict: Verdict, decided_by: str) -> TakedownView:
        """Raises `NotFound`, `CaseClosed`."""
        await self._database.run(
            lambda tx: service.decide(
                tx, self._outbox, brand_id=brand.id, case_id=case_id, verdict=verdict, decided_by=decided_by
            )
        )
        return await self.read(brand, case_id)

    async def own(self, brand: LoadedBrand, account_id: str) -> list[OwnTakedown]:
        """Cases about the account's pictures, newest first."""
        async with self._database.read() as reader:
            rows = await repository.pictures_of_account(reader, brand.id, account_id, _OWN_AT_MOST)
            cases = {row.case_id: await service.get(reader, brand.id, row.case_id) for row in rows}
        return [
            OwnTakedown(
                case_id=row.case_id,
                record_id=row.record_id,
                outcome=row.outcome,
                state=cases[row.case_id].state,
                decide_by=cases[row.case_id].decide_by,
                appealed_at=row.appealed_at,
            )
            for row in rows
        ]

    async def appeal(self, brand: LoadedBrand, account_id: str, case_id: str, message: str) -> None:
        """Raises `NotFound`, `CaseClosed`."""
        sealed = await self._cipher.seal(account_id, "appeal", message)
        await self._database.run(
            lambda tx: service.appeal(
                tx,
                brand_id=brand.id,
                account_id=account_id,
                case_id=case_id,
                sealed=sealed,
                policy=brand.policy,
            )
        )

    async def look(self) -> int:
        """See to cases whose moment has come; returns how many. A duty of the scheduler's."""
        async with self._database.read() as reader:
            due = await repository.due(reader, LOOKED_AT_ONCE)
        for case in due:
            await self._database.run(
                partial(service.look, outbox=self._outbox, case_id=case.id, brand_id=case.brand_id)
            )
        return len(due)


def view(
    case: CaseRow,
    contact: str | None = None,
    has_message: bool = False,
    pictures: Sequence[PictureRow] = (),
) -> TakedownView:
    return TakedownView(
        id=case.id,
        state=case.state,
        reason=case.reason,
        created_at=case.created_at,
        decide_by=case.decide_by,
        decided_by=case.decided_by,
        decided_at=case.decided_at,
        contact=contact,
        has_message=has_message,
        pictures=[
            TakedownPictureView(each.record_id, each.account_id, each.outcome, each.appealed_at) for each in pictures
        ],
    )


def _named(request: TakedownRequest) -> Named:
    place = request.picture or ""
    found = _ADDRESS.search(place)
    record_id = found.group(1) if found is not None else place
    if is_id(record_id, "fig") or is_id(record_id, "upl"):
        return Named(record_id, None)
    if request.sha256 is not None:
        return Named(None, request.sha256)
    raise NothingNamed(cure="Send the picture's address on this site or its id as `picture`, or its file's `sha256`.")
