"""Signing in and running an account: commit, call, commit."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET

from statuette.errors import Unavailable
from statuette.kernel.access.masking import masked_address
from statuette.kernel.access.reveals import Look, Subject, uncover
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import service
from statuette.kernel.domain.accounts.address import InvalidEmail, parse_address
from statuette.kernel.domain.accounts.letters import signin_letter
from statuette.kernel.domain.accounts.schemas import MaskedAccount, ProfileResponse, ProfileUpdate, RevealedAccount
from statuette.kernel.domain.accounts.service import (
    AccountLeaving,
    IssuedCode,
    NewAccount,
    OpenedSession,
    Profile,
    SigninFailed,
)
from statuette.kernel.domain.statements import service as statements
from statuette.kernel.domain.statements.service import StatementOutdated, StatementsMissing
from statuette.kernel.domain.statements.words import Statement
from statuette.kernel.enforcement import deadlines
from statuette.kernel.mail.post import Post
from statuette.kernel.permit import Permit
from statuette.policy import EffectivePolicy
from statuette.ports.keys import KeyStoreUnavailable
from statuette.ports.mail import MailRefused, MailUnavailable
from statuette.values import new_id

_MAIL_RETRY_SECONDS = 30


class SignedIn(msgspec.Struct, frozen=True):
    """A person is in.

    Attributes:
        csrf_token: for cookie sessions only.
        created: whether this made the account.
    """

    account_id: str
    session_id: str
    token: str
    csrf_token: str | None
    expires_at: datetime
    created: bool

    def __repr__(self) -> str:
        return f"SignedIn({self.account_id}, {self.session_id})"


class AccountFlow:
    """Signing in and out, and the profile.

    Args:
        session_days: how long a sign-in lasts; never longer than the rule `session.keep` allows.
    """

    def __init__(self, database: Database, post: Post, cipher: FieldCipher, *, session_days: int = 30) -> None:
        self._database = database
        self._post = post
        self._cipher = cipher
        self._session_lasts = timedelta(days=session_days)

    async def request_code(
        self, *, brand_id: str, brand_title: str, sender: str, email: str, locale: str, policy: EffectivePolicy
    ) -> datetime:
        """Mail a code; returns when it stops being good. Whether the address has an account is never looked at.

        Raises:
            InvalidEmail: final; also when the mail server refuses the address.
            RateLimited: too many codes for this address.
            Unavailable: no mail goes out now; the code was voided.
        """
        address = parse_address(email)
        index = self._cipher.blind_index(brand_id, address)

        async def issue(tx: Transaction) -> tuple[IssuedCode, datetime, Permit]:
            issued = await service.issue_code(tx, self._cipher, brand_id, index)
            permit = await self._post.permit(tx, brand_id=brand_id, account_id=None, policy=policy)
            return issued, tx.now + service.CODE_LIFETIME, permit

        issued, expires_at, permit = await self._database.run(issue)
        letter = signin_letter(
            code_id=issued.id,
            code=issued.code,
            minutes=int(service.CODE_LIFETIME.total_seconds() // 60),
            recipient=address,
            sender=sender,
            brand_title=brand_title,
            locale=locale,
        )
        try:
            # Not by the outbox: nobody's address is stored for a code, and the person learns at once when no mail goes out.
            await self._post.send(letter, permit)
        except MailUnavailable:
            await self._void(brand_id, issued.id)
            raise Unavailable("No mail can be sent right now.", retry_after_seconds=_MAIL_RETRY_SECONDS) from None
        except MailRefused:
            await self._void(brand_id, issued.id)
            raise InvalidEmail("The mail server does not take mail for this address.") from None
        return expires_at

    async def verify_code(
        self,
        *,
        brand_id: str,
        email: str,
        code: str,
        cookie: bool,
        locale: str,
        policy: EffectivePolicy,
        signup_credits: int = 0,
        asked: Sequence[Statement] = (),
        said: Mapping[str, str | None] | None = None,
    ) -> SignedIn:
        """Trade a code for a session, making the account on the first sign-in.

        The attempt is spent, and that is committed, before the guess is looked at: guesses in parallel get no more
        attempts than guesses in a row.

        Args:
            asked: statements that a new account is made with, and not without.
            said: those that the person makes, as `statements.service.make` takes them. What nobody asks for is left aside.

        Raises:
            InvalidEmail: final. SigninFailed: wrong, expired, used or unknown. AccountLeaving: retryable.
            StatementsMissing, StatementOutdated: the code is still good.
            KeyStoreUnavailable, DatabaseUnavailable: retryable with the same code.
        """
        address = parse_address(email)
        index = self._cipher.blind_index(brand_id, address)
        row = await self._database.run(lambda tx: service.spend_attempt(tx, brand_id, index))
        if not service.matches(self._cipher, brand_id, index, row, "".join(code.split())) or row is None:
            raise SigninFailed()
        code_id = row.id
        newcomer = await self._newcomer(brand_id, address, index, locale)

        stated = {each.id: (said or {})[each.id] for each in asked if each.id in (said or {})}

        async def enter(tx: Transaction) -> tuple[str, bool, OpenedSession]:
            account_id, created = await service.enter(
                tx, brand_id=brand_id, email_index=index, code_id=code_id, newcomer=newcomer, policy=policy
            )
            if created:
                statements.refuse_silence(asked, stated, locale)
            if stated:
                await statements.make(
                    tx,
                    brand_id=brand_id,
                    account_id=account_id,
                    asked=asked,
                    said=stated,
                    policy_digest=policy.digest,
                    locale=locale,
                    surface="signin",
                )
            if created and signup_credits:
                await service.welcome(
                    tx,
                    self._cipher,
                    brand_id=brand_id,
                    account_id=account_id,
                    email_index=index,
                    amount=signup_credits,
                )
            lasts = min(self._session_lasts, policy.rule("session.keep").due(tx.now) - tx.now)
            return account_id, created, await service.open_session(tx, brand_id, account_id, lasts, cookie=cookie)

        try:
            account_id, created, session = await self._database.run(enter)
        except (SigninFailed, AccountLeaving, StatementsMissing, StatementOutdated):
            # Rolled back for certain. After any other error the account may be there, so its key has to stay.
            await self._drop_key(newcomer)
            raise
        if not created:
            await self._drop_key(newcomer)
        return SignedIn(account_id, session.id, session.token, session.csrf_token, session.expires_at, created)

    async def confirm_identity(self, *, brand_id: str, account_id: str, session_id: str, code: str) -> None:
        """Enter a mailed code again, within a session. The attempt is spent as for signing in. Raises `SigninFailed`."""
        async with self._database.read() as reader:
            index = await service.index_of(reader, brand_id, account_id)
        row = await self._database.run(lambda tx: service.spend_attempt(tx, brand_id, index))
        if not service.matches(self._cipher, brand_id, index, row, "".join(code.split())) or row is None:
            raise SigninFailed()
        code_id = row.id
        await self._database.run(lambda tx: service.confirm_identity(tx, brand_id, account_id, session_id, code_id))

    async def sign_out(self, *, brand_id: str, account_id: str, session_id: str) -> None:
        """End one session. Idempotent."""
        await self._database.run(lambda tx: service.sign_out(tx, brand_id, account_id, session_id))

    async def sign_out_everywhere(self, *, brand_id: str, account_id: str) -> int:
        """End every session of the account; returns how many were live."""
        return await self._database.run(lambda tx: service.sign_out_everywhere(tx, brand_id, account_id))

    async def profile(self, *, brand_id: str, account_id: str) -> ProfileResponse:
        """Raises NotFound."""
        async with self._database.read() as reader:
            found = await service.profile(reader, self._cipher, brand_id, account_id)
            dooms = await deadlines.dooms(reader, [account_id])
        return ProfileResponse(
            id=found.account_id,
            email=found.email,
            name=found.name,
            locale=found.locale,
            created_at=found.created_at,
            expires_at=dooms[account_id].due_at if account_id in dooms else None,
        )

    async def masked(self, *, brand_id: str, account_id: str) -> MaskedAccount:
        """For support staff: no name, and only the outline of the address. Raises NotFound."""
        async with self._database.read() as reader:
            found: Profile = await service.profile(reader, self._cipher, brand_id, account_id)
        return MaskedAccount(found.account_id, masked_address(found.email), found.locale, found.created_at)

    async def revealed(self, *, brand_id: str, account_id: str, actor: str, reason: str) -> RevealedAccount:
        """Name and address; that they were looked at is on record before. Raises NotFound."""

        async def find(tx: Transaction) -> tuple[list[Look], None]:
            await service.require(tx, brand_id, account_id)
            return [Look(Subject.account, account_id, account_id)], None

        async def show(_: None) -> RevealedAccount:
            async with self._database.read() as reader:
                found = await service.profile(reader, self._cipher, brand_id, account_id)
            return RevealedAccount(found.account_id, found.email, found.name)

        return await uncover(self._database, find, show, brand_id=brand_id, actor=actor, reason=reason)

    async def update_profile(self, *, brand_id: str, account_id: str, update: ProfileUpdate) -> ProfileResponse:
        """Change what is set. Raises InvalidInput, NotFound."""
        sealed: bytes | msgspec.UnsetType | None = UNSET
        if update.name is None:
            sealed = None
        elif update.name is not UNSET:
            name = service.checked_name(update.name)
            sealed = await self._cipher.seal(account_id, "name", name) if name is not None else None
        await self._database.run(
            lambda tx: service.update_profile(tx, brand_id, account_id, name=sealed, locale=update.locale)
        )
        return await self.profile(brand_id=brand_id, account_id=account_id)

    async def _newcomer(self, brand_id: str, address: str, index: str, locale: str) -> NewAccount | None:
        async with self._database.read() as reader:
            if await service.address_known(reader, brand_id, index):
                return None
        account_id = new_id("acc", self._database.clock.now())
        await self._cipher.prepare(account_id)
        return NewAccount(account_id, await self._cipher.seal(account_id, "email", address), locale)

    async def _drop_key(self, unborn: NewAccount | None) -> None:
        if unborn is not None:
            # A key that stays behind opens nothing: no row was ever written under it.
            with contextlib.suppress(KeyStoreUnavailable):
                await self._cipher.destroy(unborn.id)

    async def _void(self, brand_id: str, code_id: str) -> None:
        await self._database.run(lambda tx: service.void_code(tx, brand_id, code_id))
