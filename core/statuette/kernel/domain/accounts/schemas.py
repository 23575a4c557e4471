"""What the API takes and says about accounts. Secrets are told in the answer that makes them, never again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from statuette.kernel.domain.statements.schemas import Digest

Email = Annotated[
    str, Meta(min_length=3, max_length=254, description="An e-mail address.", examples=["ada@example.org"])
]
Locale = Annotated[
    str,
    Meta(
        max_length=35,
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$",
        description="A language tag, BCP 47.",
        examples=["en", "pt-BR"],
    ),
]


class SigninCodeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for a code to be mailed. The answer is the same whether or not the address has an account."""

    email: Email
    locale: Locale = "en"

    def __repr__(self) -> str:
        return "SigninCodeRequest()"


class SigninCodeResponse(msgspec.Struct, frozen=True):
    """A code is on its way. `expires_at` is when it stops being good."""

    expires_at: datetime


class SigninRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trades a mailed code for a session.

    Attributes:
        session: `bearer` for apps, which send the token in `Authorization`; `cookie` for browsers, which get an
            HttpOnly cookie and send `csrf_token` in `X-CSRF-Token` with everything but GET, HEAD and OPTIONS.
        statements: what the person states, of `GET /v1/statements`: the digest of the words they were shown, or null for
            those in force, by id. A new account needs all that are asked at `signup`.
    """

    email: Email
    code: Annotated[str, Meta(min_length=1, max_length=32, description="The mailed code.", examples=["402911"])]
    session: Literal["bearer", "cookie"] = "bearer"
    locale: Locale = "en"
    statements: Annotated[dict[str, Digest | None], Meta(max_length=10, examples=[{"adult": None}])] = {}

    def __repr__(self) -> str:
        return f"SigninRequest({self.session})"


class IdentityConfirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mailed code, entered again within a session."""

    code: Annotated[str, Meta(min_length=1, max_length=32, description="The mailed code.", examples=["402911"])]

    def __repr__(self) -> str:
        return "IdentityConfirmation()"


class SessionResponse(msgspec.Struct, frozen=True):
    """A session.

    Attributes:
        token: for bearer sessions; null for cookie sessions, whose token is in the cookie alone.
        csrf_token: for cookie sessions.
        created: whether signing in made the account.
    """

    account_id: str
    session_id: str
    token: str | None
    csrf_token: str | None
    expires_at: datetime
    created: bool

    def __repr__(self) -> str:
        return f"SessionResponse({self.session_id})"


class ProfileResponse(msgspec.Struct, frozen=True):
    """`expires_at` is when the account goes; null while nobody asked for that, for then it has no end date."""

    id: str
    email: str
    name: str | None
    locale: str
    created_at: datetime
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"ProfileResponse({self.id})"


class ProfileUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it is. A null name removes it."""

    name: Annotated[str, Meta(max_length=100, examples=["Ada"])] | UnsetType | None = UNSET
    locale: Locale | UnsetType = UNSET

    def __repr__(self) -> str:
        return "ProfileUpdate()"


class MaskedAccount(msgspec.Struct, frozen=True):
    """An account as support staff see it: the address as `a***@e***.org`."""

    id: str
    email: str
    locale: str
    created_at: datetime


class RevealedAccount(msgspec.Struct, frozen=True):
    """Who somebody is. Who looked, and why, is on record."""

    id: str
    email: str
    name: str | None

    def __repr__(self) -> str:
        return f"RevealedAccount({self.id})"
