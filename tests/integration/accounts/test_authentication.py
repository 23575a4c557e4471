"""From credentials to a principal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from statuette.errors import Unauthenticated
from statuette.kernel.db.database import Database, Reader
from statuette.kernel.enforcement import deadlines
from statuette.kernel.http.auth import Authenticator, CsrfTokenMissing
from statuette.kernel.http.principal import Principal
from statuette.testing import FrozenClock

from .signin import BRAND, OTHER_BRAND, Signin, noted

ADA = "ada@example.org"


class _Key(msgspec.Struct, frozen=True):
    id: str
    brand_id: str
    scopes: tuple[str, ...]


_KEYS = {
    "sk_secret": _Key("key_secret", BRAND, ("accounts:read",)),
    "pk_public": _Key("key_public", BRAND, ("accounts:read",)),
}


async def _find_key(reader: Reader, token: str) -> _Key | None:
    return _KEYS.get(token)


@pytest.fixture
def authenticator(database: Database, clock: FrozenClock) -> Authenticator:
    return Authenticator(database, clock, _find_key)


async def ask(
    authenticator: Authenticator,
    bearer: str | None = None,
    *,
    cookie: str | None = None,
    csrf: str | None = None,
    method: str = "GET",
    brand_id: str = BRAND,
) -> Principal:
    return await authenticator.authenticate(
        brand_id,
        authorization=f"Bearer {bearer}" if bearer is not None else None,
        cookie_token=cookie,
        csrf_header=csrf,
        method=method,
    )


async def test_a_bearer_token_stands_for_its_account(signin: Signin, authenticator: Authenticator) -> None:
    signed_in = await signin.sign_in(ADA)

    principal = await ask(authenticator, signed_in.token, method="POST")

    assert principal == Principal(
        "account",
        signed_in.account_id,
        BRAND,
        signed_in.account_id,
        signed_in.session_id,
        frozenset({"account"}),
        "bearer",
    )


async def test_a_token_is_nothing_to_another_brand(signin: Signin, authenticator: Authenticator) -> None:
    signed_in = await signin.sign_in(ADA, BRAND)
    await signin.sign_in(ADA, OTHER_BRAND)

    for _ in range(2):  # before and after the token is remembered
        with pytest.raises(Unauthenticated):
            await ask(authenticator, signed_in.token, brand_id=OTHER_BRAND)
        assert (await ask(authenticator, signed_in.token)).account_id == signed_in.account_id


async def test_nobody_is_anonymous(authenticator: Authenticator) -> None:
    assert (await ask(authenticator)).kind == "anonymous"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic YTpi", "st_abc", "Bearer st_abc", f"Bearer {'x' * 999}"]
)
async def test_authorization_that_is_not_understood_is_refused(authenticator: Authenticator, header: str) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(BRAND, authorization=header, cookie_token=None, csrf_header=None, method="GET")


async def test_a_cookie_session_changes_things_with_its_csrf_token_only(
    signin: Signin, authenticator: Authenticator
) -> None:
    # Given two cookie sessions
    mine = await signin.sign_in(ADA, cookie=True)
    theirs = await signin.sign_in("eve@example.org", cookie=True)

    # Then reading needs no CSRF token, and changing needs this session's
    for method in ("GET", "HEAD", "OPTIONS", "get"):
        assert (await ask(authenticator, cookie=mine.token, method=method)).via == "cookie"
    for method in ("POST", "PUT", "PATCH", "DELETE", "ANYTHING"):
        for csrf in (None, "", "guess", theirs.csrf_token, mine.token):
            with pytest.raises(CsrfTokenMissing):
                await ask(authenticator, cookie=mine.token, csrf=csrf, method=method)
        assert (await ask(authenticator, cookie=mine.token, csrf=mine.csrf_token, method=method)).via == "cookie"


async def test_a_session_is_good_only_the_way_it_was_made_for(signin: Signin, authenticator: Authenticator) -> None:
    bearer = await signin.sign_in(ADA)
    cookie = await signin.sign_in(ADA, cookie=True)

    with pytest.raises(Unauthenticated):
        await ask(authenticator, cookie.token, method="POST")
    assert (await ask(authenticator, cookie=bearer.token)).kind == "anonymous"
    assert (await ask(authenticator, cookie="sk_secret")).kind == "anonymous"


async def test_a_stale_cookie_counts_as_none(signin: Signin, authenticator: Authenticator) -> None:
    signed_in = await signin.sign_in(ADA, cookie=True)
    await signin.flow.sign_out(brand_id=BRAND, account_id=signed_in.account_id, session_id=signed_in.session_id)

    assert (await ask(authenticator, cookie=signed_in.token, method="POST")).kind == "anonymous"


async def test_a_session_lasts_thirty_days(signin: Signin, authenticator: Authenticator, clock: FrozenClock) -> None:
    signed_in = await signin.sign_in(ADA)
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    await ask(authenticator, signed_in.token)

    clock.advance(timedelta(seconds=1))

    with pytest.raises(Unauthenticated):  # although it was remembered a second ago
        await ask(authenticator, signed_in.token)


async def test_signing_out_here_works_at_once_and_elsewhere_within_five_seconds(
    signin: Signin, authenticator: Authenticator, database: Database, clock: FrozenClock
) -> None:
    # Given a session that two processes remember
    elsewhere = Authenticator(database, clock, _find_key)
    signed_in = await signin.sign_in(ADA)
    other_device = await signin.sign_in(ADA)
    for process in (authenticator, elsewhere):
        await ask(process, signed_in.token)

    # When it is signed out in one of them
    await signin.flow.sign_out(brand_id=BRAND, account_id=signed_in.account_id, session_id=signed_in.session_id)
    authenticator.forget_session(signed_in.session_id)

    # Then
    with pytest.raises(Unauthenticated):
        await ask(authenticator, signed_in.token)
    clock.advance(timedelta(seconds=5))
    with pytest.raises(Unauthenticated):
        await ask(elsewhere, signed_in.token)
    assert (await ask(authenticator, other_device.token)).session_id == other_device.session_id


async def test_nobody_signs_out_the_sessions_of_others(signin: Signin, authenticator: Authenticator) -> None:
    ada = await signin.sign_in(ADA)
    eve = await signin.sign_in("eve@example.org")

    await signin.flow.sign_out(brand_id=BRAND, account_id=eve.account_id, session_id=ada.session_id)
    await signin.flow.sign_out(brand_id=OTHER_BRAND, account_id=ada.account_id, session_id=ada.session_id)

    assert (await ask(authenticator, ada.token)).account_id == ada.account_id


async def test_signing_out_everywhere_ends_every_session_of_the_account(
    signin: Signin, authenticator: Authenticator
) -> None:
    sessions = [await signin.sign_in(ADA) for _ in range(3)]
    eve = await signin.sign_in("eve@example.org")
    for session in sessions:
        await ask(authenticator, session.token)

    ended = await signin.flow.sign_out_everywhere(brand_id=BRAND, account_id=sessions[0].account_id)
    authenticator.forget_account(sessions[0].account_id)

    assert ended == 3
    for session in sessions:
        with pytest.raises(Unauthenticated):
            await ask(authenticator, session.token)
    assert (await ask(authenticator, eve.token)).account_id == eve.account_id


async def test_a_session_is_not_remembered_past_its_account(
    signin: Signin, authenticator: Authenticator, database: Database, clock: FrozenClock
) -> None:
    # Given an account that goes in two seconds, and a session just remembered
    signed_in = await signin.sign_in(ADA)
    async with database.transaction() as tx:
        assert await deadlines.arm(tx, signed_in.account_id, "account.erase", tx.now + timedelta(seconds=2))
    await ask(authenticator, signed_in.token)

    clock.advance(timedelta(seconds=2))

    with pytest.raises(Unauthenticated):
        await ask(authenticator, signed_in.token)


async def test_a_session_signed_out_while_it_is_looked_up_is_not_remembered(
    signin: Signin, database: Database, clock: FrozenClock
) -> None:
    # Given a key that is revoked between its look-up and the answer
    revoked: list[Callable[[], Awaitable[None]]] = []
    answers = [_KEYS["sk_secret"], None]

    async def find_key(reader: Reader, token: str) -> _Key | None:
        found = answers.pop(0)
        for act in revoked:
            await act()
        return found

    authenticator = Authenticator(database, clock, find_key)

    async def revoke() -> None:
        authenticator.forget_key("key_secret")

    revoked.append(revoke)
    await ask(authenticator, "sk_secret")

    # Then the next request asks again
    with pytest.raises(Unauthenticated):
        await ask(authenticator, "sk_secret")


async def test_a_remembered_token_asks_nothing_of_the_database_for_five_seconds(
    signin: Signin, database: Database, clock: FrozenClock
) -> None:
    signed_in = await signin.sign_in(ADA)
    twin, statements = noted(database)
    authenticator = Authenticator(twin, clock, _find_key)

    for _ in range(50):
        await ask(authenticator, signed_in.token)
    clock.advance(timedelta(seconds=4.9))
    await ask(authenticator, signed_in.token)
    assert len(statements) == 1
    clock.advance(timedelta(seconds=0.1))
    await ask(authenticator, signed_in.token)

    assert len(statements) == 2


async def test_keys_carry_their_scopes_and_publishable_ones_none(authenticator: Authenticator) -> None:
    secret = await ask(authenticator, "sk_secret", method="POST")
    public = await ask(authenticator, "pk_public")

    assert (secret.kind, secret.id, secret.account_id, secret.scopes, secret.via) == (
        "secret_key",
        "key_secret",
        None,
        frozenset({"accounts:read"}),
        "key",
    )
    assert (public.kind, public.scopes) == ("publishable_key", frozenset())
    for key in _KEYS:
        with pytest.raises(Unauthenticated):
            await ask(authenticator, key, brand_id=OTHER_BRAND)
