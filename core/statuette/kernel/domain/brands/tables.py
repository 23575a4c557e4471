"""Brands, the hosts they answer at, and their keys."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, text


class Brand(Table, tablename="brand"):
    """One white-labelled site. `config` is the applied file in canonical JSON."""

    id = key()
    slug = ident()
    mode = ident()
    config = text()
    config_digest = ident()
    created_at = moment()
    updated_at = moment()


class BrandHost(Table, tablename="brand_host"):
    """A host name of exactly one brand."""

    host = key()
    brand_id = ident()


class ApiKey(Table, tablename="api_key"):
    """A publishable or secret key, stored as a hash. `ending` helps an operator to recognise it.

    What it may do is what its role may, and `scopes` beside that.
    """

    id = key()
    brand_id = ident()
    kind = ident()
    label = ident()
    token_hash = ident()
    ending = ident()
    scopes = text()
    created_at = moment()
    revoked_at = optional_moment()
    role = optional_ident()
