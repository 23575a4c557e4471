"""Deadlines, stored moments at which a rule acts on one record, and what may change or stop them."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import (
    ident,
    key,
    moment,
    optional_ident,
    optional_moment,
    optional_text,
    small,
    text,
    whole,
)


class Deadline(Table, tablename="deadline"):
    """One rule on one record. `due_at` is empty while the trigger has not happened.

    `state` goes from `scheduled` to `executing` (the intent, at `intent_at`), `verified` (all of the record is gone, and that was
    checked) and `receipted` (the receipt is in the evidence log), or to `superseded`: another rule ended the record. On the way
    it can be `held` by the legal hold `hold_id`, or `stopped` by a guard until somebody decides. `hidden` only hides the record.
    After `begun_at` there is no way back. At `erased_at` its rows went, and `outcomes` tells what was found in each store.

    `armed_at` is when the trigger happened, `forecast_at` what `due_at` has to be: both move together, by whoever arms a
    deadline or by an approved plan.
    """

    id = key()
    brand_id = ident()
    account_id = optional_ident()
    dataset = ident()
    record_id = ident()
    rule = ident()
    policy_digest = ident()
    state = ident()
    due_at = optional_moment()
    armed_at = optional_moment()
    forecast_at = optional_moment()
    attempts = small()
    intent_at = optional_moment()
    begun_at = optional_moment()
    hold_id = optional_ident()
    erased_at = optional_moment()
    outcomes = optional_text()
    trace_parent = optional_ident()
    created_at = moment()
    updated_at = moment()


class LegalHold(Table, tablename="legal_hold"):
    """What `subject` names stays until the hold is lifted: a record, or what it hangs on, such as its account or its job."""

    id = key()
    brand_id = ident()
    subject = ident()
    reason = ident()
    reference = ident()
    placed_by = ident()
    placed_at = moment()
    lifted_by = optional_ident()
    lifted_at = optional_moment()


class EnforcementPlan(Table, tablename="enforcement_plan"):
    """What a changed policy would do to deadlines that exist, and whether somebody approved it.

    `state` goes from `draft` to `approved` and `applied`; to `superseded` when the policy changed meanwhile, or to `stopped` by a
    guard. `forecast` is JSON; `last_id` the last deadline that was looked at.
    """

    id = key()
    brand_id = ident()
    policy_digest = ident()
    state = ident()
    forecast = text()
    created_by = ident()
    created_at = moment()
    approved_by = optional_ident()
    approved_at = optional_moment()
    moved = whole()
    last_id = ident()
    ended_at = optional_moment()


class TimeMark(Table, tablename="time_mark"):
    """The latest moment that a scheduler saw, so that a clock that was set back is noticed at the next start."""

    name = key()
    at = moment()
