"""Durable events of jobs, and the tickets that open a stream of them."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, small, text


class GenerationEvent(Table, tablename="generation_event"):
    """What happened to a job, numbered from 1 without gaps. `data` is JSON without personal data."""

    id = key()
    brand_id = ident()
    generation_id = ident()
    seq = small()
    type = ident()
    data = text()
    created_at = moment()


class StreamTicket(Table, tablename="stream_ticket"):
    """A single-use pass to one job's stream, since an EventSource sends no headers."""

    token_hash = key()
    brand_id = ident()
    account_id = ident()
    generation_id = ident()
    created_at = moment()
    expires_at = moment()
