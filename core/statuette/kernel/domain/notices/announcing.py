"""Telling every account of a published version: in batches that resume where they stopped, a letter and a record each.

A batch writes its letters and how far it came in one transaction, so that a crash leaves nobody out and prepares nobody's twice. A
letter is recorded as sent once the mailer has taken it; a process that dies just between leaves a second letter with the same
key, which a mailer that can sends once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import msgspec

from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.service import Addressee
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.domain.consent.service import ConsentRequired
from statuette.kernel.domain.notices import service
from statuette.kernel.domain.notices.letters import change_letter
from statuette.kernel.domain.notices.repository import NoticeRow, VersionRow
from statuette.kernel.egress import EgressDenied
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit, PermitRefused
from statuette.kernel.work import findings
from statuette.kernel.work.outbox import Claimed, Outbox
from statuette.policy import enforces
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette.ports.mail import MailRefused, MailUnavailable

BATCH = 100
"""Accounts in one transaction."""
WAITING_AT_MOST = 500
"""Letters of one version that wait at once: others' letters get their turn between them."""
_LOOK_AGAIN_AFTER = timedelta(seconds=1)
_SHORTEST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_GIVEN_UP_AFTER = timedelta(days=7)
_DONE_WAITS_FOR = timedelta(minutes=1)


class _Errand(msgspec.Struct, frozen=True):
    notice: NoticeRow
    version: VersionRow
    brand: LoadedBrand
    addressee: Addressee
    permit: Permit


class Announcing:
    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        brands: BrandDirectory,
        cipher: FieldCipher,
        post: Post,
        *,
        public_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._brands = brands
        self._cipher = cipher
        self._post = post
        self._public_url = public_url

    async def announce(self, claimed: Claimed) -> None:
        """Prepare the next batch of letters about a version."""
        await self._database.run(partial(self._announce, claimed=claimed))

    async def tell(self, claimed: Claimed) -> None:
        """Send one letter, or see that there is nobody to tell."""
        await self._brands.fresh()
        errand = await self._database.run(partial(self._prepare, claimed=claimed))
        if errand is None:
            return
        end: Callable[[Transaction], Awaitable[None]] = partial(self._end, claimed=claimed, state="sent")
        try:
            await self._send(errand)
        except KeyDestroyed:
            end = partial(self._end, claimed=claimed, state="nobody")
        except MailRefused:
            end = partial(self._end, claimed=claimed, state="refused")
        except EgressDenied:
            end = partial(self._give_up, claimed=claimed, errand=errand, why="egress_denied")
        except (MailUnavailable, KeyStoreUnavailable) as error:
            wait = timedelta(seconds=error.attributes.get("retry_after_seconds") or 0)
            end = partial(self._later, claimed=claimed, errand=errand, wait=wait, why=error.code)
        await self._database.run(end, patience=_DONE_WAITS_FOR)

    async def not_announced(self, tx: Transaction, version_id: str) -> str | None:
        """The announcement ended in disorder too often. The runner raises the finding."""
        version = await service.version_by_id(tx, version_id)
        return version.brand_id if version is not None else None

    async def not_told(self, tx: Transaction, notice_id: str) -> str | None:
        """The letter was tried in disorder too often. The runner raises the finding."""
        notice = await service.letter(tx, notice_id)
        await service.end_letter(tx, notice_id, "not_sent")
        return notice.brand_id if notice is not None else None

    async def _announce(self, tx: Transaction, *, claimed: Claimed) -> None:
        await self._outbox.hold(tx, claimed)
        version = await service.version_by_id(tx, claimed.subject_id)
        if version is None or version.announced_at is not None:
            await self._outbox.finish(tx, claimed)
            return
        if await service.waiting(tx, version.id, WAITING_AT_MOST) >= WAITING_AT_MOST:
            await self._outbox.postpone(tx, claimed, tx.now + _LOOK_AGAIN_AFTER)
            return
        after = await service.announced_upto(tx, version.id)
        found = await accounts.of_brand(
            tx, version.brand_id, after=after, made_before=version.published_at, limit=BATCH
        )
        last = len(found) < BATCH
        await service.announce(tx, self._outbox, version, found, last=last)
        if last:
            await self._outbox.finish(tx, claimed)
        else:
            await self._outbox.postpone(tx, claimed, tx.now)

    async def _prepare(self, tx: Transaction, *, claimed: Claimed) -> _Errand | None:
        """What the letter is made of; None, and the work is over, when there is nobody to tell."""
        await self._outbox.hold(tx, claimed)
        notice = await service.letter(tx, claimed.subject_id)
        if notice is None or notice.state != "queued":
            await self._outbox.finish(tx, claimed)
            return None
        errand = await self._errand(tx, notice)
        if errand is None:
            await self._end(tx, claimed=claimed, state="nobody")
        return errand

    async def _errand(self, tx: Transaction, notice: NoticeRow) -> _Errand | None:
        version = await service.version_by_id(tx, notice.version_id)
        addressee = await accounts.addressee(tx, notice.brand_id, notice.account_id)
        if version is None or addressee is None:
            return None
        brand = await self._brands.by_id(notice.brand_id)
        try:
            permit = await self._post.permit(tx, brand_id=brand.id, account_id=notice.account_id, policy=brand.policy)
        except (PermitRefused, ConsentRequired):
            return None
        return _Errand(notice, version, brand, addressee, permit)

    @enforces("policy.change")
    async def _send(self, errand: _Errand) -> None:
        """Raises `KeyDestroyed`, `KeyStoreUnavailable`, and what `Post.send` raises."""
        letter = change_letter(
            notice_id=errand.notice.id,
            number=errand.version.number,
            effective_at=errand.version.effective_at,
            address=f"{self._public_url}/policy/{errand.version.id}",
            asks=bool(errand.version.asked()),
            recipient=await accounts.address_of(self._cipher, errand.addressee),
            sender=errand.brand.config.mail_sender,
            brand_title=errand.brand.config.title,
            locale=errand.addressee.locale,
        )
        await self._post.send(letter, errand.permit)

    async def _end(self, tx: Transaction, *, claimed: Claimed, state: str) -> None:
        await self._outbox.finish(tx, claimed)
        await service.end_letter(tx, claimed.subject_id, state)

    async def _later(self, tx: Transaction, *, claimed: Claimed, errand: _Errand, wait: timedelta, why: str) -> None:
        """Wait as long again as the letter is old, so that the waits double; after a week the operator hears of it."""
        age = tx.now - errand.notice.created_at
        if age >= _GIVEN_UP_AFTER:
            await self._give_up(tx, claimed=claimed, errand=errand, why=why)
            return
        await self._outbox.postpone(tx, claimed, tx.now + max(wait, min(max(age, _SHORTEST_WAIT), _LONGEST_WAIT)))

    async def _give_up(self, tx: Transaction, *, claimed: Claimed, errand: _Errand, why: str) -> None:
        await self._end(tx, claimed=claimed, state="not_sent")
        await findings.raise_finding(
            tx, code="policy_letter_not_sent", subject=errand.version.id, detail=why, brand_id=errand.brand.id
        )
