"""Requests of people who found themselves, or what is theirs, in a picture."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import (
    ciphertext,
    ident,
    key,
    moment,
    optional_ident,
    optional_moment,
    optional_octets,
)


class TakedownCase(Table, tablename="takedown_case"):
    """One request. `contact` and `message` are sealed with a key of the brand's for such requests.

    `state`: `open`, `deleting` (decided; its pictures go at `next_at` unless their owner appeals), `appealed`, `kept`, `deleted`.
    `next_at` is when somebody has to look at it again: the end of the clock, or of the time to appeal.
    """

    id = key()
    brand_id = ident()
    state = ident()
    reason = ident()
    contact = ciphertext()
    message = optional_octets()
    locale = ident()
    token_hash = ident()
    decide_by = moment()
    next_at = optional_moment()
    decided_by = optional_ident()
    decided_at = optional_moment()
    created_at = moment()


class TakedownPicture(Table, tablename="takedown_picture"):
    """A picture that a request is about. `id` is the case's and the record's. `outcome`: `hidden`, `listed`, `kept`, `deleted`.

    `appeal` is what its owner says, sealed with their account's key.
    """

    id = key()
    brand_id = ident()
    case_id = ident()
    account_id = ident()
    dataset = ident()
    record_id = ident()
    outcome = ident()
    appeal = optional_octets()
    appealed_at = optional_moment()
    created_at = moment()
