"""Photos taken in."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_moment, small


class Upload(Table, tablename="upload"):
    """A photo. The row is older than the first stored byte; `sha256` is of the normalised picture."""

    id = key()
    brand_id = ident()
    account_id = ident()
    state = ident()
    media_type = ident()
    width = small()
    height = small()
    size_bytes = small()
    sha256 = ident()
    statement_digest = ident()
    created_at = moment()
    saved_at = optional_moment()
