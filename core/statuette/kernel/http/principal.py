"""Who is asking."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["account", "secret_key", "publishable_key", "anonymous"]
Via = Literal["bearer", "cookie", "key"]


class Principal(msgspec.Struct, frozen=True):
    """Who a request speaks for, always within one brand.

    Attributes:
        id: the account or the key; `anonymous` for nobody. Stable over the sessions of one account.
        session_id: the session of an account, to sign it out.
        scopes: what a key may do; `account` for a signed-in person.
        via: how the credentials came; None without any.
    """

    kind: Kind
    id: str
    brand_id: str
    account_id: str | None = None
    session_id: str | None = None
    scopes: frozenset[str] = frozenset()
    via: Via | None = None


def anonymous(brand_id: str) -> Principal:
    return Principal(kind="anonymous", id="anonymous", brand_id=brand_id)
