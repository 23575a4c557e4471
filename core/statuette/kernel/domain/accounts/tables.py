"""Accounts, the codes mailed to sign in, and the sessions that follow."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ciphertext, ident, key, moment, optional_ident, optional_moment, small


class Account(Table, tablename="account"):
    """An end user of one brand. Address and name are encrypted with the account's data key; `email_index` finds it."""

    id = key()
    brand_id = ident()
    email = ciphertext()
    email_index = ident()
    name = ciphertext()
    locale = ident()
    created_at = moment()


class SigninCode(Table, tablename="signin_code"):
    """A mailed one-time code. The address itself is not kept, only its blind index."""

    id = key()
    brand_id = ident()
    email_index = ident()
    code_hash = ident()
    attempts_left = small()
    created_at = moment()
    expires_at = moment()
    used_at = optional_moment()


class Session(Table, tablename="session"):
    """A signed-in device. `csrf_hash` is set for cookie sessions only, `confirmed_at` when a code was entered again later."""

    id = key()
    brand_id = ident()
    account_id = ident()
    token_hash = ident()
    csrf_hash = optional_ident()
    created_at = moment()
    expires_at = moment()
    revoked_at = optional_moment()
    confirmed_at = optional_moment()


class Tombstone(Table, tablename="tombstone"):
    """An address whose erased account had what a brand gives once. `id` is a keyed hash; nobody is found by it but who returns."""

    id = key()
    brand_id = ident()
    created_at = moment()
