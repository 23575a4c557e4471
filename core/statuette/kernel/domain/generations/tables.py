"""Paid jobs, their inputs, the calls made for them, and what they cost the operator."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import (
    flag,
    ident,
    key,
    moment,
    optional_ident,
    optional_moment,
    optional_text,
    optional_whole,
    small,
    text,
    whole,
)


class Generation(Table, tablename="generation"):
    """One job. `models` and `variables` are JSON; `model_index` says how far down the brand's list we fell."""

    id = key()
    brand_id = ident()
    account_id = ident()
    state = ident()
    reason = optional_ident()
    style = ident()
    style_version = small()
    variables = text()
    aspect_ratio = ident()
    picture_count = small()
    subject_count = small()
    parent_id = optional_ident()
    notify = flag()
    models = text()
    model_index = small()
    credits_each = whole()
    credits_captured = whole()
    retries = small()
    reserved_micros = whole()
    reserved_day = ident()
    currency = ident()
    policy_digest = ident()
    created_at = moment()
    started_at = optional_moment()
    finished_at = optional_moment()
    expires_at = moment()


class GenerationInput(Table, tablename="generation_input"):
    """An upload or an earlier figurine that a job uses."""

    id = key()
    brand_id = ident()
    generation_id = ident()
    position = small()
    role = ident()
    upload_id = optional_ident()
    figurine_id = optional_ident()


class Attempt(Table, tablename="attempt"):
    """One call to a provider, written before it is made. `cost_micros` is empty while, or if for ever, unknown."""

    id = key()
    brand_id = ident()
    generation_id = ident()
    number = small()
    provider = ident()
    model = ident()
    state = ident()
    handle = optional_text()
    outcome = optional_ident()
    reason = optional_ident()
    input_tokens = optional_whole()
    output_tokens = optional_whole()
    reserved_micros = whole()
    cost_micros = optional_whole()
    currency = ident()
    started_at = moment()
    finished_at = optional_moment()


class CostDay(Table, tablename="cost_day"):
    """A brand's provider cost on one UTC day: what is spent, and what running jobs may still cost at worst."""

    id = key()
    brand_id = ident()
    day = ident()
    currency = ident()
    reserved_micros = whole()
    spent_micros = whole()
    warned_percent = small()
