"""Resulting pictures."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, small


class Figurine(Table, tablename="figurine"):
    """A picture made by a job. The row is older than its first stored byte; sizes are objects below one prefix."""

    id = key()
    brand_id = ident()
    account_id = ident()
    generation_id = ident()
    attempt_id = ident()
    position = small()
    state = ident()
    media_type = ident()
    width = small()
    height = small()
    size_bytes = small()
    sha256 = ident()
    created_at = moment()
