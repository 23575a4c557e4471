"""The outbox, who is alive to do its work, leases and findings."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, small, whole


class WorkItem(Table, tablename="work_item"):
    """One thing to be done: an actor and the id of what it acts on, nothing else. The row goes when the work is done."""

    id = key()
    queue = ident()
    actor = ident()
    subject_id = ident()
    due_at = moment()
    sent_at = optional_moment()
    attempts = small()
    lease = optional_ident()
    held_by = optional_ident()
    trace_parent = optional_ident()
    created_at = moment()


class Process(Table, tablename="process"):
    """A process of the deployment that is alive until then. What a dead one held, others take over."""

    id = key()
    role = ident()
    host = ident()
    started_at = moment()
    alive_until = moment()


class Lease(Table, tablename="lease"):
    """Who may do what only one may do. `token` grows with every change of hands."""

    name = key()
    owner = ident()
    until = moment()
    token = whole()


class Finding(Table, tablename="finding"):
    """Something an operator must look at. The same code on the same subject is one finding that counts."""

    id = key()
    brand_id = optional_ident()
    code = ident()
    subject = ident()
    detail = ident()
    occurrences = whole()
    first_at = moment()
    last_at = moment()
    resolved_at = optional_moment()
