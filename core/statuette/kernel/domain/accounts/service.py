"""The rules of signing in and of accounts.

Codes are few, short-lived and single-use, and what happens never depends on whether an account exists.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec

from statuette.errors import Conflict, Forbidden, InvalidInput, NotFound, RateLimited, Unauthenticated, Unavailable
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.db.errors import UniqueViolation
from statuette.kernel.domain.accounts import codes, repository, tokens
from statuette.kernel.domain.accounts.repository import LiveSession
from statuette.kernel.domain.credits.service import grant, open_wallet, was_welcomed, welcome_key
from statuette.kernel.enforcement import deadlines
from statuette.policy import EffectivePolicy

CODE_LIFETIME = timedelta(minutes=10)
ATTEMPTS = 5
IDENTITY_GOOD_FOR = timedelta(minutes=10)
# The first keeps a mailbox from being flooded. The second bounds guessing: at most 100 of a million codes a day.
_CODES_AT_MOST = ((5, timedelta(minutes=15)), (20, timedelta(hours=24)))
_ERASURE_TAKES_SECONDS = 30


class SigninFailed(Unauthenticated):
    """Wrong, expired, used, or never asked for: which of them is not told. Final for this code or this guess."""

    code = "signin_failed"
    summary = "This code does not sign you in."


class IdentityNotConfirmed(Forbidden):
    """What was asked for cannot be taken back, or shows everything, so a code has to be entered within minutes before."""

    code = "identity_not_confirmed"
    summary = "Confirm that it is you first, with a code from your mail."


class AddressTaken(Conflict):
    """The address has an account already. Told only to whoever has shown that they read its mail."""

    code = "address_taken"
    summary = "This address has an account of its own."


class AccountLeaving(Unavailable):
    """The address's former account is being erased; a new one can be made when that is done."""

    code = "account_leaving"
    summary = "The former account of this address is being erased right now."


class IssuedCode(msgspec.Struct, frozen=True):
    """A code to be mailed. It exists here and in the letter, nowhere else."""

    id: str
    code: str

    def __repr__(self) -> str:
        return f"IssuedCode({self.id})"


class NewAccount(msgspec.Struct, frozen=True):
    """What it takes to make an account, its data key made and its address sealed."""

    id: str
    email: bytes
    locale: str


class OpenedSession(msgspec.Struct, frozen=True):
    """A fresh session. Its tokens are told once."""

    id: str
    token: str
    csrf_token: str | None
    expires_at: datetime

    def __repr__(self) -> str:
        return f"OpenedSession({self.id})"


class Profile(msgspec.Struct, frozen=True):
    """An account, its personal fields opened."""

    account_id: str
    email: str
    name: str | None
    locale: str
    created_at: datetime

    def __repr__(self) -> str:
        return f"Profile({self.account_id})"


class Addressee(msgspec.Struct, frozen=True):
    """Whom a letter goes to. The address stays sealed until the letter is written."""

    account_id: str
    sealed_email: bytes
    locale: str


async def issue_code(tx: Transaction, cipher: FieldCipher, brand_id: str, email_index: str) -> IssuedCode:
    """Make the one good code of an address; earlier ones are void.

    Raises:
        RateLimited: the address got too many. Attribute `retry_after_seconds`.
    """
    await codes.lock_address(tx, brand_id, email_index)
    longest = max(window for _, window in _CODES_AT_MOST)
    most = max(limit for limit, _ in _CODES_AT_MOST)
    made = await codes.newest_moments(tx, brand_id, email_index, tx.now - longest, most)
    for limit, window in _CODES_AT_MOST:
        if len(made) >= limit and (free_at := made[limit - 1] + window) > tx.now:
            seconds = math.ceil((free_at - tx.now).total_seconds())
            raise RateLimited("Too many codes were asked for.", retry_after_seconds=seconds)
    issued = IssuedCode(tx.new_id("sic"), tokens.new_code())
    await codes.void_earlier(tx, brand_id, email_index)
    await codes.add(
        tx,
        code_id=issued.id,
        brand_id=brand_id,
        email_index=email_index,
        code_hash=tokens.code_hash(
            cipher, brand_id=brand_id, email_index=email_index, code_id=issued.id, code=issued.code
        ),
        attempts=ATTEMPTS,
        expires_at=tx.now + CODE_LIFETIME,
    )
    return issued


async def void_code(tx: Transaction, brand_id: str, code_id: str) -> None:
    """Make a code that never reached anyone good for nothing."""
    await codes.use_up(tx, brand_id, code_id)


async def spend_attempt(tx: Transaction, brand_id: str, email_index: str) -> codes.CodeRow | None:
    """Take an attempt off the address's good code, if it has one. To be committed before the guess is compared."""
    return await codes.consume_attempt(tx, brand_id, email_index)


async def address_known(reader: Reader, brand_id: str, email_index: str) -> bool:
    """Whether the address has an account, one that is being erased included."""
    return await repository.account_known(reader, brand_id, email_index)


def matches(cipher: FieldCipher, brand_id: str, email_index: str, row: codes.CodeRow | None, guess: str) -> bool:
    """Whether the guess is the code, by the same work whether or not there is one."""
    stored = row if row is not None else codes.CodeRow("", "")
    hashed = tokens.code_hash(cipher, brand_id=brand_id, email_index=email_index, code_id=stored.id, code=guess)
    return tokens.same(hashed, stored.code_hash) and row is not None


async def enter(
    tx: Transaction,
    *,
    brand_id: str,
    email_index: str,
    code_id: str,
    newcomer: NewAccount | None,
    policy: EffectivePolicy,
) -> tuple[str, bool]:
    """Spend the code and return the address's account, and whether it was made just now.

    The account, its wallet and its (unarmed) deadline are committed together.

    Raises:
        SigninFailed: another request spent the code first.
        AccountLeaving: retryable.
    """
    if not await codes.use_up(tx, brand_id, code_id):
        raise SigninFailed()
    account_id = await repository.account_by_address(tx, brand_id, email_index)
    if account_id is None and newcomer is not None:
        if await repository.add_account(
            tx,
            account_id=newcomer.id,
            brand_id=brand_id,
            email=newcomer.email,
            email_index=email_index,
            locale=newcomer.locale,
        ):
            await open_wallet(tx, brand_id, newcomer.id)
            await deadlines.unarmed(
                tx,
                brand_id=brand_id,
                account_id=newcomer.id,
                dataset="accounts",
                record_id=newcomer.id,
                rule="account.erase",
                policy_digest=policy.digest,
            )
            return newcomer.id, True
        account_id = await repository.account_by_address(tx, brand_id, email_index)
    if account_id is None:
        raise AccountLeaving(retry_after_seconds=_ERASURE_TAKES_SECONDS)
    return account_id, False


async def welcome(
    tx: Transaction, cipher: FieldCipher, *, brand_id: str, account_id: str, email_index: str, amount: int
) -> None:
    """Give a new account the credits that the brand starts everybody with, once: not to whoever erased one that had got them."""
    if await repository.has_tombstone(tx, _tombstone(cipher, brand_id, email_index)):
        return
    await grant(
        tx, brand_id=brand_id, account_id=account_id, amount=amount, key=welcome_key(account_id), actor="signup"
    )


async def lay_tombstone(tx: Transaction, cipher: FieldCipher, account_id: str) -> None:
    """Remember, by a keyed hash of the address alone, that an account which is about to go had got what is given once."""
    found = await repository.address_index(tx, account_id)
    if found is not None and await was_welcomed(tx, found[0], account_id):
        await repository.add_tombstone(tx, _tombstone(cipher, *found), found[0])


def _tombstone(cipher: FieldCipher, brand_id: str, email_index: str) -> str:
    return cipher.keyed_hash("tombstone", brand_id, email_index)


async def open_session(
    tx: Transaction, brand_id: str, account_id: str, lasts: timedelta, *, cookie: bool
) -> OpenedSession:
    """Sign a device in."""
    session = OpenedSession(
        id=tx.new_id("ses"),
        token=tokens.new_session_token(),
        csrf_token=tokens.new_csrf_token() if cookie else None,
        expires_at=tx.now + lasts,
    )
    await repository.add_session(
        tx,
        session_id=session.id,
        brand_id=brand_id,
        account_id=account_id,
        token_hash=tokens.token_hash(session.token),
        csrf_hash=tokens.token_hash(session.csrf_token) if session.csrf_token is not None else None,
        expires_at=session.expires_at,
    )
    return session


async def session_by_token(reader: Reader, brand_id: str, token: str) -> LiveSession | None:
    """The live session of a token, if it is of this brand."""
    return await repository.live_session(reader, brand_id, tokens.token_hash(token))


async def identity_confirmed(reader: Reader, brand_id: str, account_id: str, session_id: str) -> bool:
    """Whether whoever is signed in entered a mailed code within the last minutes."""
    since = reader.now - IDENTITY_GOOD_FOR
    return await repository.session_confirmed_since(reader, brand_id, account_id, session_id, since)


async def require_identity(reader: Reader, brand_id: str, account_id: str, session_id: str) -> None:
    """Raises `IdentityNotConfirmed` unless `identity_confirmed`."""
    if not await identity_confirmed(reader, brand_id, account_id, session_id):
        raise IdentityNotConfirmed(
            cure="Have a code mailed by `POST /v1/signin/codes`, and send it to `POST /v1/session/confirm`."
        )


async def confirm_identity(tx: Transaction, brand_id: str, account_id: str, session_id: str, code_id: str) -> None:
    """Spend the code on the session.

    Raises:
        SigninFailed: another request spent the code first, or the session ended.
    """
    if not await codes.use_up(tx, brand_id, code_id) or not await repository.confirm_session(
        tx, brand_id, account_id, session_id
    ):
        raise SigninFailed()


async def change_address(
    tx: Transaction, brand_id: str, account_id: str, *, code_id: str, email: bytes, email_index: str
) -> None:
    """Make an address that a code was mailed to the account's own, and spend the code.

    Raises:
        SigninFailed: another request spent the code first. AddressTaken: it is another account's.
    """
    if not await codes.use_up(tx, brand_id, code_id):
        raise SigninFailed()
    try:
        changed = await repository.set_address(tx, brand_id, account_id, email=email, email_index=email_index)
    except UniqueViolation:
        changed = False
    if not changed:
        raise AddressTaken()


async def index_of(reader: Reader, brand_id: str, account_id: str) -> str:
    """What the account's address is found by. Raises `NotFound`."""
    found = await repository.address_index(reader, account_id)
    if found is None or found[0] != brand_id:
        raise NotFound("There is no such account.")
    return found[1]


async def sign_out(tx: Transaction, brand_id: str, account_id: str, session_id: str) -> None:
    """End one session. Idempotent."""
    await repository.revoke_session(tx, brand_id, account_id, session_id)


async def sign_out_everywhere(tx: Transaction, brand_id: str, account_id: str) -> int:
    """End every session of the account; returns how many were live."""
    return await repository.revoke_all_sessions(tx, brand_id, account_id)


async def require(reader: Reader, brand_id: str, account_id: str) -> None:
    """Raise NotFound unless the brand has this account and it is not past its erasure date."""
    if await repository.account_row(reader, brand_id, account_id) is None:
        raise NotFound("There is no such account.")


async def profile(reader: Reader, cipher: FieldCipher, brand_id: str, account_id: str) -> Profile:
    """The account, opened.

    Raises:
        NotFound: no such account in this brand, or it is past its erasure date.
    """
    row = await repository.account_row(reader, brand_id, account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return Profile(
        account_id=row.id,
        email=await cipher.open(row.id, "email", row.email),
        name=await cipher.open(row.id, "name", row.name) if row.name is not None else None,
        locale=row.locale,
        created_at=row.created_at,
    )


async def addressee(reader: Reader, brand_id: str, account_id: str) -> Addressee | None:
    """Whom to write to; None when the account is gone or past its erasure date."""
    row = await repository.account_row(reader, brand_id, account_id)
    return Addressee(row.id, row.email, row.locale) if row is not None else None


async def locale_of(reader: Reader, brand_id: str, account_id: str) -> str | None:
    """The account's language; None when the account is gone or past its erasure date."""
    row = await repository.account_row(reader, brand_id, account_id)
    return row.locale if row is not None else None


async def of_brand(reader: Reader, brand_id: str, *, after: str, made_before: datetime, limit: int) -> list[str]:
    """Ids of accounts made by then that are not past their erasure date, in order, of those after `after`."""
    return await repository.of_brand(reader, brand_id, after=after, made_before=made_before, limit=limit)


async def address_of(cipher: FieldCipher, addressee: Addressee) -> str:
    """Open the address. Outside of a transaction: the key may have to be fetched. Raises what `FieldCipher.open` raises."""
    return await cipher.open(addressee.account_id, "email", addressee.sealed_email)


async def update_profile(
    tx: Transaction,
    brand_id: str,
    account_id: str,
    *,
    name: bytes | msgspec.UnsetType | None,
    locale: str | msgspec.UnsetType,
) -> None:
    """Change what is set. `name` is sealed; None removes it.

    Raises:
        NotFound: as for `profile`.
    """
    known = True
    if name is not msgspec.UNSET:
        known = await repository.set_name(tx, brand_id, account_id, name)
    if known and locale is not msgspec.UNSET:
        known = await repository.set_locale(tx, brand_id, account_id, locale)
    if not known:
        raise NotFound("There is no such account.")


def checked_name(name: str) -> str | None:
    """A name as it is kept: trimmed, or None when nothing is left.

    Raises:
        InvalidInput: it holds control characters.
    """
    kept = name.strip()
    if not all(character.isprintable() for character in kept):
        raise InvalidInput("A name holds printable characters only.", field="name")
    return kept or None
