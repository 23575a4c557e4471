"""What people did here, and by week how many did the same."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_moment, whole


class UsageEvent(Table, tablename="usage_event"):
    """One use. Every text but the ids is a word of a closed list, the slug of a style, or empty.

    `id` is the record's it is about and the kind, `gen_….ordered`, or `use_…` where it is about none. `level` is how long
    (`Span`) or how many stars.
    """

    id = key()
    brand_id = ident()
    account_id = ident()
    kind = ident()
    style = ident()
    page = ident()
    level = ident()
    browser = ident()
    system = ident()
    network = ident()
    created_at = moment()


class UsageWeek(Table, tablename="usage_week"):
    """A week of a brand that has been counted, and is never counted again. `folded_at`: nothing of it is left but the cells."""

    id = key()
    brand_id = ident()
    week = ident()
    ends_at = moment()
    counted_at = moment()
    folded_at = optional_moment()


class UsageCell(Table, tablename="usage_cell"):
    """How many accounts of a brand did the same in a week, in the same way, about. Says nothing of anybody."""

    id = key()
    brand_id = ident()
    week = ident()
    kind = ident()
    style = ident()
    page = ident()
    level = ident()
    browser = ident()
    system = ident()
    accounts = whole()
    events = whole()
