"""From credentials to a principal.

Tokens are looked up by their hash, in the brand that is being asked and in no other. What was found is remembered for
at most five seconds and never past the moment at which session or account end.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from statuette.errors import Forbidden, Unauthenticated
from statuette.kernel.db.database import Database, Reader
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.tokens import SESSION_PREFIX, same, token_hash
from statuette.kernel.http.principal import Kind, Principal, Via, anonymous
from statuette.values import Clock

_REMEMBERED_SECONDS = 5.0
_REMEMBERED_AT_MOST = 10_000
_LONGEST_TOKEN = 200
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY_KINDS: dict[str, Kind] = {"sk_": "secret_key", "pk_": "publishable_key"}


class CsrfTokenMissing(Forbidden):
    """A cookie session changes something without the token that proves the page is ours. Final."""

    code = "csrf_token_missing"
    summary = "Send the session's CSRF token in the header X-CSRF-Token."


class KeyView(Protocol):
    """An API key that is good now."""

    @property
    def id(self) -> str: ...
    @property
    def brand_id(self) -> str: ...
    @property
    def scopes(self) -> Iterable[str]: ...


FindKey = Callable[[Reader, str], Awaitable[KeyView | None]]
"""The key of a token, whatever its brand; None when it is unknown or revoked."""


class _Found(msgspec.Struct, frozen=True):
    """What a token stands for, and until when that may be believed."""

    principal: Principal
    csrf_hash: str | None = None
    ends_at: datetime | None = None
    believed_until_seconds: float = 0.0


class Authenticator:
    def __init__(self, database: Database, clock: Clock, find_key: FindKey) -> None:
        self._database = database
        self._clock = clock
        self._find_key = find_key
        self._found: OrderedDict[tuple[str, bytes], _Found] = OrderedDict()
        self._forgotten = 0

    async def authenticate(
        self,
        brand_id: str,
        *,
        authorization: str | None,
        cookie_token: str | None,
        csrf_header: str | None,
        method: str,
    ) -> Principal:
        """Who is asking; `anonymous` when no credentials came. A bearer token outranks a cookie.

        A browser sends a cookie whether or not it is still good, so one that is not counts as none: else a signed-out
        browser could never sign in again.

        Raises:
            Unauthenticated: the authorization is not good here: unknown, expired, or of another brand.
            CsrfTokenMissing: a cookie session, an unsafe method, and not its CSRF token.
        """
        if authorization is not None:
            found = await self._of_token(brand_id, _bearer(authorization))
            if found.principal.via == "cookie":
                # A cookie's token in a header would do without the CSRF token.
                raise Unauthenticated()
            return found.principal
        if cookie_token is not None:
            session = await self._of_cookie(brand_id, cookie_token)
            if session is None or session.csrf_hash is None:
                return anonymous(brand_id)
            if method.upper() not in _SAFE_METHODS and not same(token_hash(csrf_header or ""), session.csrf_hash):
                raise CsrfTokenMissing()
            return session.principal
        return anonymous(brand_id)

    def forget_session(self, session_id: str) -> None:
        """Ask the database again about this session; after signing out."""
        self._forget(lambda principal: principal.session_id == session_id)

    def forget_account(self, account_id: str) -> None:
        """Ask the database again about every session of the account."""
        self._forget(lambda principal: principal.account_id == account_id)

    def forget_key(self, key_id: str) -> None:
        """Ask the database again about this key; after revoking it."""
        self._forget(lambda principal: principal.via == "key" and principal.id == key_id)

    async def _of_cookie(self, brand_id: str, token: str) -> _Found | None:
        if not token.startswith(SESSION_PREFIX):
            return None
        try:
            found = await self._of_token(brand_id, token)
        except Unauthenticated:
            return None
        return found if found.principal.via == "cookie" else None

    async def _of_token(self, brand_id: str, token: str) -> _Found:
        if len(token) > _LONGEST_TOKEN:
            raise Unauthenticated()
        place = (brand_id, hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())
        found = self._found.get(place)
        if found is not None and self._believable(found):
            self._found.move_to_end(place)
            return found
        epoch = self._forgotten
        found = await self._asked(brand_id, token)
        if found is None:
            self._found.pop(place, None)
            raise Unauthenticated()
        if epoch == self._forgotten:  # else it may have been signed out while we were reading
            self._found[place] = found
            self._found.move_to_end(place)
            if len(self._found) > _REMEMBERED_AT_MOST:
                self._found.popitem(last=False)
        return found

    def _believable(self, found: _Found) -> bool:
        if self._clock.monotonic_seconds() >= found.believed_until_seconds:
            return False
        return found.ends_at is None or self._clock.now() < found.ends_at

    async def _asked(self, brand_id: str, token: str) -> _Found | None:
        until = self._clock.monotonic_seconds() + _REMEMBERED_SECONDS
        async with self._database.read() as reader:
            kind = _KEY_KINDS.get(token[:3])
            if kind is not None:
                key = await self._find_key(reader, token)
                if key is None or key.brand_id != brand_id:
                    return None
                # A publishable key names its brand and can do nothing else, whatever its row says.
                scopes = frozenset(key.scopes) if kind == "secret_key" else frozenset()
                return _Found(Principal(kind, key.id, brand_id, None, None, scopes, "key"), None, None, until)
            session = await accounts.session_by_token(reader, brand_id, token)
        if session is None:
            return None
        via: Via = "bearer" if session.csrf_hash is None else "cookie"
        principal = Principal(
            "account", session.account_id, brand_id, session.account_id, session.id, frozenset({"account"}), via
        )
        ends = [moment for moment in (session.expires_at, session.account_due_at) if moment is not None]
        return _Found(principal, session.csrf_hash, min(ends), until)

    def _forget(self, concerns: Callable[[Principal], bool]) -> None:
        self._forgotten += 1
        for place in [place for place, found in self._found.items() if concerns(found.principal)]:
            del self._found[place]


def _bearer(header: str) -> str:
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated()
    return token.strip()
