"""The record of calls: written before each, closed after it, their cost moved from reserved to spent."""

from __future__ import annotations

import msgspec

from statuette.kernel import telemetry
from statuette.kernel.db.database import Transaction
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.generations import budget, repository
from statuette.kernel.domain.generations.outcomes import cost_micros, detail, kind
from statuette.kernel.domain.generations.repository import AttemptRow, GenerationRow
from statuette.kernel.domain.generations.tables import Attempt
from statuette.ports.image import ImageProvider, ModelInfo, Outcome


async def record(
    tx: Transaction,
    job: GenerationRow,
    brand: LoadedBrand,
    provider: ImageProvider,
    model: ModelInfo,
    *,
    number: int,
) -> AttemptRow:
    """Write an attempt before its call is made, with its worst case reserved. Raises `DailyCeilingReached`.

    Args:
        job: locked.
        number: counts the job's attempts, from 1.
    """
    needed = model.worst_case_cost.micros
    if job.reserved_micros < needed:
        more = needed - job.reserved_micros
        await budget.reserve(
            tx,
            brand_id=job.brand_id,
            day=job.reserved_day,
            currency=job.currency,
            ceiling_micros=brand.config.daily_cost_ceiling.micros,
            micros=more,
        )
        await repository.change_reserve(tx, job.id, more)
    attempt_id = tx.new_id("att")
    await tx.insert(
        Attempt,
        id=attempt_id,
        brand_id=job.brand_id,
        generation_id=job.id,
        number=number,
        provider=provider.name,
        model=model.id,
        state="calling",
        handle=None,
        outcome=None,
        reason=None,
        input_tokens=None,
        output_tokens=None,
        reserved_micros=needed,
        cost_micros=None,
        currency=job.currency,
        started_at=tx.now,
        finished_at=None,
    )
    return AttemptRow(
        id=attempt_id,
        number=number,
        provider=provider.name,
        model=model.id,
        state="calling",
        handle=None,
        outcome=None,
        reason=None,
        reserved_micros=needed,
        cost_micros=None,
        currency=job.currency,
        started_at=tx.now,
        finished_at=None,
    )


async def close(tx: Transaction, job: GenerationRow, attempt: AttemptRow, outcome: Outcome) -> GenerationRow:
    """Record how a call of a locked job ended and what it cost, once; returns the job as it is now."""
    cost = cost_micros(outcome, attempt.reserved_micros)
    usage = getattr(outcome, "usage", None)
    if await repository.close_attempt(
        tx,
        attempt.id,
        state="finished",
        outcome=kind(outcome),
        reason=detail(outcome),
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        cost_micros=cost,
    ):
        return await _settle(tx, job, attempt, cost)
    return job


async def close_unknown(tx: Transaction, job: GenerationRow, attempt: AttemptRow, *, reason: str) -> GenerationRow:
    """A call of a locked job left and nobody knows how it ended: book the worst, never forget it; returns the job as it is now."""
    if await repository.close_attempt(
        tx,
        attempt.id,
        state="unknown",
        outcome=None,
        reason=reason,
        input_tokens=None,
        output_tokens=None,
        cost_micros=attempt.reserved_micros,
    ):
        return await _settle(tx, job, attempt, attempt.reserved_micros)
    return job


async def _settle(tx: Transaction, job: GenerationRow, attempt: AttemptRow, cost: int) -> GenerationRow:
    """Move the attempt's part of the reservation to what is spent. An ended job's was given back already."""
    part = min(attempt.reserved_micros, job.reserved_micros)
    if part:
        await repository.change_reserve(tx, job.id, -part)
    budget.settle(tx, brand_id=job.brand_id, day=job.reserved_day, reserved_micros=part, spent_micros=cost)
    labels = {"currency": job.currency, "provider": attempt.provider}
    tx.after_commit(lambda: telemetry.count(telemetry.cost_micros, cost, labels))
    return msgspec.structs.replace(job, reserved_micros=job.reserved_micros - part)
