"""What people agreed to, and took back."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import flag, ident, key, moment, optional_ident, text


class ConsentRecord(Table, tablename="consent_record"):
    """One decision about one purpose; the latest one counts. Rows are only added.

    `method` says how it came about and `decided_by` who decided; both are empty in rows of before there were others than
    people's own decisions.
    """

    id = key()
    brand_id = ident()
    account_id = ident()
    purpose = ident()
    granted = flag()
    statement_digest = ident()
    policy_digest = ident()
    locale = ident()
    surface = ident()
    method = optional_ident()
    decided_by = optional_ident()
    created_at = moment()


class ProcessingStop(Table, tablename="processing_stop"):
    """A use of an account's data that is stopped, for as long as the row is there. `purpose` is one of them, or `*` for all."""

    id = key()
    brand_id = ident()
    account_id = ident()
    purpose = ident()
    reason = ident()
    request_id = ident()
    created_at = moment()


class ConsentText(Table, tablename="consent_text"):
    """A text as it was shown, word for word, by the digest that records of decisions name."""

    id = key()
    purpose = ident()
    locale = ident()
    body = text()
    created_at = moment()
