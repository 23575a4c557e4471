"""Deadlines: stored moments at which a rule acts on one record."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, small


class Deadline(Table, tablename="deadline"):
    """One rule on one record. `due_at` is empty while the trigger has not happened."""

    id = key()
    brand_id = ident()
    account_id = optional_ident()
    dataset = ident()
    record_id = ident()
    rule = ident()
    policy_digest = ident()
    state = ident()
    due_at = optional_moment()
    attempts = small()
    trace_parent = optional_ident()
    created_at = moment()
    updated_at = moment()
