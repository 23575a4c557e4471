"""What is noted of people's use, and only while they let it be counted.

The condition is part of the statement that writes: whoever says no is not noted from that commit on, and noting costs no
statement more than itself.
"""

from __future__ import annotations

from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.consent.service import PurposeDeclined
from statuette.kernel.domain.usage import repository
from statuette.kernel.domain.usage.device import Device
from statuette.kernel.domain.usage.repository import CellRow, Taste
from statuette.kernel.domain.usage.words import Kind, Page, span_of
from statuette.policy import EffectivePolicy, enforces

PURPOSE = "analytics"
RULE = "usage.anonymise"
DATASET = "usage"
__all__ = ["CellRow", "Taste"]


@enforces("usage.collect", "purpose.analytics")
def while_allowed(account: str = ":account_id", brand: str = ":brand_id") -> str:
    """SQL that holds while an account lets its use be counted.

    Args:
        account, brand: SQL of their ids.
    """
    return consent.undeclined(PURPOSE, account, brand)


async def job_ordered(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    generation_id: str,
    style: str,
    device: Device,
    policy: EffectivePolicy,
) -> None:
    """Note that a style was chosen."""
    if PURPOSE in policy.purposes:
        await repository.add(
            tx,
            event_id=f"{generation_id}.{Kind.ordered}",
            brand_id=brand_id,
            account_id=account_id,
            kind=Kind.ordered.value,
            style=style,
            page="",
            level="",
            device=device,
            allowed=while_allowed(),
        )


async def job_ended(tx: Transaction, generation_id: str, state: str) -> None:
    """Note the state that a job ended in, if it was noted when it was ordered."""
    await repository.follow(
        tx,
        event_id=f"{generation_id}.{state}",
        after=f"{generation_id}.{Kind.ordered}",
        kind=Kind(state).value,
        allowed=while_allowed("e.account_id", "e.brand_id"),
    )


async def visited(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    page: Page,
    seconds: int,
    device: Device,
    policy: EffectivePolicy,
) -> bool:
    """Note for how long a page was open, about; whether it is noted."""
    if PURPOSE not in policy.purposes:
        return False
    return await repository.add(
        tx,
        event_id=tx.new_id("use"),
        brand_id=brand_id,
        account_id=account_id,
        kind=Kind.visited.value,
        style="",
        page=page.value,
        level=span_of(seconds).value,
        device=device,
        allowed=while_allowed(),
    )


async def rate(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    figurine_id: str,
    generation_id: str,
    stars: int,
    device: Device,
    policy: EffectivePolicy,
) -> None:
    """Note what somebody thinks of a figurine, in place of what they thought before.

    Raises:
        PurposeDeclined: they do not let it be counted, and nothing else is done with it.
    """
    noted = PURPOSE in policy.purposes and await repository.add(
        tx,
        event_id=rating_of(figurine_id),
        brand_id=brand_id,
        account_id=account_id,
        kind=Kind.rated.value,
        style=await repository.style_of(tx, f"{generation_id}.{Kind.ordered}"),
        page="",
        level=str(stars),
        device=device,
        allowed=while_allowed(),
    )
    if not noted:
        raise PurposeDeclined(
            purpose=PURPOSE, cure=f"A rating is counted and nothing else: see `PUT /v1/account/consents/{PURPOSE}`."
        )


async def stars(reader: Reader, account_id: str, figurine_id: str, policy: EffectivePolicy) -> int | None:
    """What somebody thinks of a figurine of theirs; None: they have not said."""
    after = policy.rule(RULE).cutoff(reader.now)
    level = await repository.level_of(reader, account_id, rating_of(figurine_id), after=after)
    return int(level) if level is not None else None


async def forget_rating(tx: Transaction, *, brand_id: str, account_id: str, figurine_id: str) -> bool:
    """Take a rating back; whether there was one."""
    return await repository.forget(tx, brand_id, account_id, rating_of(figurine_id))


async def taste(reader: Reader, *, figurine_id: str, generation_id: str, policy: EffectivePolicy) -> Taste:
    """What is known of a figurine's style and of what its owner thinks of it."""
    return await repository.taste(
        reader,
        rated=rating_of(figurine_id),
        ordered=f"{generation_id}.{Kind.ordered}",
        after=policy.rule(RULE).cutoff(reader.now),
    )


async def report(reader: Reader, brand_id: str, *, week: str | None, before: str | None, limit: int) -> list[CellRow]:
    """Published cells, the latest counted first."""
    return await repository.published(reader, brand_id, week=week, before=before, limit=limit)


def rating_of(figurine_id: str) -> str:
    return f"{figurine_id}.{Kind.rated}"
