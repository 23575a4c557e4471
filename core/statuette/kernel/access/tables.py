"""Who uncovered what of whom."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident


class Reveal(Table, tablename="reveal"):
    """One look at what is covered: by which key, at what, and why. Written before anything is shown.

    `account_id` is whose words or data they are: empty for people without an account, a pseudonym after an erasure. `subject`
    says what `record_id` is an id of.
    """

    id = key()
    brand_id = ident()
    account_id = optional_ident()
    subject = ident()
    record_id = ident()
    actor = ident()
    reason = ident()
    created_at = moment()
