"""Signing in, the session, the profile; and accounts as operators see them."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, JSONBody

from statuette.errors import InvalidInput, Unauthenticated
from statuette.kernel.access.schemas import Reveal
from statuette.kernel.domain.accounts.flow import SignedIn
from statuette.kernel.domain.accounts.schemas import (
    IdentityConfirmation,
    MaskedAccount,
    ProfileResponse,
    ProfileUpdate,
    RevealedAccount,
    SessionResponse,
    SigninCodeRequest,
    SigninCodeResponse,
    SigninRequest,
)
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.statements.words import of_accounts
from statuette.kernel.http.answers import answer
from statuette.kernel.http.gate import SESSION_COOKIE
from statuette.kernel.http.principal import Principal
from statuette.kernel.platform import Platform


class JsonRequired(InvalidInput):
    code = "json_required"
    summary = "Signing in with a cookie takes a JSON body that says so."


class SigninRoutes(Controller):
    path = "/v1"
    tags = ["Account"]

    @post("/signin/codes", status_code=202, opt={"public": True}, summary="Mail a sign-in code")
    async def request_code(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        data: JSONBody[SigninCodeRequest],
    ) -> SigninCodeResponse:
        """The answer is the same whether or not the address has an account."""
        _throttle(request, platform)
        expires_at = await platform.accounts.request_code(
            brand_id=brand.id,
            brand_title=brand.config.title,
            sender=brand.config.mail_sender,
            email=data.email,
            locale=data.locale,
            policy=brand.policy,
        )
        return SigninCodeResponse(expires_at)

    @post("/signin", status_code=201, opt={"public": True}, summary="Sign in")
    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        data: JSONBody[SigninRequest],
    ) -> Response[SessionResponse]:
        """Trade the mailed code for a session: a bearer token, or a cookie with a CSRF token.

        Where the site asks for statements (`GET /v1/statements`), a new account is made only with all of them: else 403
        `statements_missing`, and the same code is still good.
        """
        if data.session == "cookie" and not request.headers.get("content-type", "").startswith("application/json"):
            # A form on somebody else's page can send any text, but not this type without the browser asking us first.
            raise JsonRequired(cure="Send Content-Type: application/json.")
        _throttle(request, platform)
        signed_in = await platform.accounts.verify_code(
            brand_id=brand.id,
            email=data.email,
            code=data.code,
            cookie=data.session == "cookie",
            locale=data.locale,
            policy=brand.policy,
            signup_credits=brand.config.signup_credits,
            asked=of_accounts(brand.config),
            said=data.statements,
        )
        if request.headers.get("sec-gpc") == "1":
            await platform.consents.heed_signal(brand, signed_in.account_id)
        cookies = [_cookie(platform, signed_in)] if data.session == "cookie" else []
        return Response(
            SessionResponse(
                account_id=signed_in.account_id,
                session_id=signed_in.session_id,
                token=None if data.session == "cookie" else signed_in.token,
                csrf_token=signed_in.csrf_token,
                expires_at=signed_in.expires_at,
                created=signed_in.created,
            ),
            status_code=201,
            cookies=cookies,
            headers={"cache-control": "no-store"},
        )

    @delete("/session", status_code=204, summary="Sign out")
    async def sign_out(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
    ) -> Response[None]:
        """End this session."""
        await platform.accounts.sign_out(
            brand_id=brand.id, account_id=principal.account_id or "", session_id=principal.session_id or ""
        )
        platform.authenticator.forget_session(principal.session_id or "")
        response: Response[None] = Response(None, status_code=204)
        response.delete_cookie(SESSION_COOKIE)
        return response

    @post("/session/confirm", status_code=204, summary="Confirm that it is you")
    async def confirm(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        data: JSONBody[IdentityConfirmation],
    ) -> None:
        """Enter a code that was mailed just now (`POST /v1/signin/codes`): what cannot be taken back wants that."""
        if principal.account_id is None or principal.session_id is None:
            raise Unauthenticated()
        _throttle(request, platform)
        await platform.accounts.confirm_identity(
            brand_id=brand.id, account_id=principal.account_id, session_id=principal.session_id, code=data.code
        )

    @delete("/sessions", status_code=204, summary="Sign out everywhere")
    async def sign_out_everywhere(
        self, platform: Injected[Platform], brand: Injected[LoadedBrand], account_id: Injected[str]
    ) -> None:
        """End every session of the account, this one included."""
        await platform.accounts.sign_out_everywhere(brand_id=brand.id, account_id=account_id)
        platform.authenticator.forget_account(account_id)


class AccountRoutes(Controller):
    path = "/v1/account"
    tags = ["Account"]

    @get(summary="Read your profile")
    async def profile(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
    ) -> Response[bytes]:
        return answer(request, await platform.accounts.profile(brand_id=brand.id, account_id=account_id))

    @patch(summary="Change your profile")
    async def update(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        data: JSONBody[ProfileUpdate],
    ) -> ProfileResponse:
        """What is left out stays as it is."""
        return await platform.accounts.update_profile(brand_id=brand.id, account_id=account_id, update=data)


class AdminAccountRoutes(Controller):
    path = "/admin/v1/accounts"
    tags = ["Admin"]

    @get("/{account:str}", opt={"scope": "accounts:read"}, summary="Read an account")
    async def read(
        self, platform: Injected[Platform], brand: Injected[LoadedBrand], account: FromPath[str]
    ) -> MaskedAccount:
        """Without name, and with the outline of the address only."""
        return await platform.accounts.masked(brand_id=brand.id, account_id=account)

    @post(
        "/{account:str}/reveal",
        status_code=200,
        opt={"scope": "accounts:reveal", "reveals": True},
        summary="See who an account is",
    )
    async def reveal(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        principal: Injected[Principal],
        account: FromPath[str],
        data: JSONBody[Reveal],
    ) -> Response[RevealedAccount]:
        """Who looked, and why, is on record before anything is shown, and is in the person's copy of their data."""
        revealed = await platform.accounts.revealed(
            brand_id=brand.id, account_id=account, actor=principal.id, reason=data.reason
        )
        return Response(revealed, status_code=200, headers={"cache-control": "no-store"})


def _throttle(request: Request[Any, Any, Any], platform: Platform) -> None:
    address = request.scope["state"]["client_address"]
    platform.buckets.take(
        f"signin:{address}", limit=platform.settings.signins_per_minute_per_address, window_seconds=60
    )


def _cookie(platform: Platform, signed_in: SignedIn) -> Cookie:
    return Cookie(
        key=SESSION_COOKIE,
        value=signed_in.token,
        httponly=True,
        samesite="lax",
        secure=platform.settings.secure_cookies,
        path="/",
        max_age=int((signed_in.expires_at - platform.clock.now()).total_seconds()),
    )
