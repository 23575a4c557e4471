"""What people ask for by right, and what became of it."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ciphertext, ident, key, moment, optional_ident, optional_moment


class PrivacyRequest(Table, tablename="privacy_request"):
    """One request. `due_at` is when it has to be answered, `effective_at` when an erasure takes place.

    `statement` is what the person wrote, encrypted with the account's data key; `contact`, where the account will not be there
    any more to be asked for it, with a key of the request's own, which goes with the last letter. After an erasure `account_id` is
    a pseudonym. `holder` finds the receipt.
    """

    id = key()
    brand_id = ident()
    account_id = ident()
    kind = ident()
    state = ident()
    subject = optional_ident()
    reason = optional_ident()
    statement = ciphertext()
    contact = ciphertext()
    holder = optional_ident()
    policy_digest = ident()
    asked_at = moment()
    due_at = moment()
    effective_at = optional_moment()
    closed_at = optional_moment()
    warned = optional_ident()


class PrivacyRequestEvent(Table, tablename="privacy_request_event"):
    """One step of a request: who did what, and why."""

    id = key()
    brand_id = ident()
    request_id = ident()
    action = ident()
    actor = ident()
    reason = optional_ident()
    created_at = moment()
