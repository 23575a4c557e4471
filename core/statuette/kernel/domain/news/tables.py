"""News that a brand writes to those who want it."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, small, text


class NewsLetter(Table, tablename="news_letter"):
    """One letter to all. `texts` is what it says, by locale; `upto` the last account that was looked at.

    Whom it went to is not kept.
    """

    id = key()
    brand_id = ident()
    texts = text()
    created_by = ident()
    created_at = moment()
    upto = optional_ident()
    prepared = small()
    prepared_at = optional_moment()
