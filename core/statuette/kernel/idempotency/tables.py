"""Idempotency keys."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, small


class IdempotencyKey(Table, tablename="idempotency_key"):
    """One request that must happen once: status and id of what it made, never its body. `id` hashes scope and key."""

    id = key()
    brand_id = ident()
    principal = ident()
    fingerprint = ident()
    status = small()
    resource_id = optional_ident()
    lease_until = optional_moment()
    created_at = moment()
