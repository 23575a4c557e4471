"""What people agreed to, and took back."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import flag, ident, key, moment


class ConsentRecord(Table, tablename="consent_record"):
    """One decision about one purpose; the latest one counts. Rows are only added."""

    id = key()
    brand_id = ident()
    account_id = ident()
    purpose = ident()
    granted = flag()
    statement_digest = ident()
    policy_digest = ident()
    locale = ident()
    surface = ident()
    created_at = moment()
