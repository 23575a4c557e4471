"""What people agreed to, and the permits that follow from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from statuette.dataset import Transaction as AnyTransaction
from statuette.errors import Conflict, NotFound, StatuetteError
from statuette.kernel import permit
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.consent import repository
from statuette.kernel.domain.consent.repository import Decision
from statuette.kernel.permit import Permit, PermitRefused
from statuette.policy import Basis, EffectivePolicy, Purpose

_TICK = timedelta(microseconds=1)


class ConsentRequired(StatuetteError):
    """The purpose needs the person's agreement and has none that is live. Final until they agree.

    Attributes `purpose`, `statement` (what they would agree to).
    """

    code = "consent_required"
    summary = "This needs your agreement first."


class PurposeNotOptional(Conflict):
    """Nobody is asked about this purpose: it rests on something other than consent. Attributes `purpose`, `basis`."""

    code = "purpose_not_optional"
    summary = "This purpose does not rest on consent, so there is nothing to decide."


class StatementChanged(Conflict):
    """The person agreed to a wording that is no longer the one in force. Attribute `statement`: the one that is."""

    code = "statement_changed"
    summary = "The statement has changed since it was shown."


class ConsentState(msgspec.Struct, frozen=True):
    """The decision on one purpose that counts."""

    purpose: str
    granted: bool
    statement_digest: str
    decided_at: datetime


def statement_digest(purpose: Purpose) -> str:
    """Names one wording of one purpose, as `sha256:<hex>`."""
    body = msgspec.json.encode([purpose.id, purpose.statement])
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def is_live(state: ConsentState | None, purpose: Purpose) -> bool:
    """Whether a decision grants the purpose as it is worded today: agreeing to other words was agreeing to other things."""
    return state is not None and state.granted and state.statement_digest == statement_digest(purpose)


async def record(
    tx: Transaction,
    brand_id: str,
    account_id: str,
    purpose: str,
    granted: bool,
    statement_digest: str,
    policy_digest: str,
    locale: str,
    surface: str,
) -> ConsentState:
    """Add a decision.

    Args:
        statement_digest: of the wording the person saw.
        surface: where they decided, for instance `api` or `upload`.
    """
    await repository.lock(tx, account_id)
    before = await repository.latest(tx, brand_id, account_id, purpose)
    # Clocks of two processes differ a little; the later decision must be the later row all the same.
    at = tx.now if before is None else max(tx.now, before.created_at + _TICK)
    decision = Decision(purpose, granted, statement_digest, at)
    await repository.add(
        tx,
        brand_id=brand_id,
        account_id=account_id,
        decision=decision,
        policy_digest=policy_digest,
        locale=locale,
        surface=surface,
    )
    return _state(decision)


async def decide(
    tx: Transaction,
    *,
    brand_id: str,
    account_id: str,
    purpose: str,
    granted: bool,
    seen_statement_digest: str | None,
    policy: EffectivePolicy,
    locale: str,
    surface: str,
) -> ConsentState:
    """Record a person's own decision on a purpose that rests on consent.

    Args:
        seen_statement_digest: of the wording shown to them; None: the one in force.

    Raises:
        NotFound: no such purpose. PurposeNotOptional: it rests on something else. StatementChanged: they agreed to
            other words; taking consent back is never refused for that.
    """
    about = policy.purposes.get(purpose)
    if about is None:
        raise NotFound("There is no such purpose.")
    if about.basis is not Basis.consent:
        raise PurposeNotOptional(purpose=purpose, basis=about.basis.value)
    in_force = statement_digest(about)
    if granted and seen_statement_digest not in (None, in_force):
        raise StatementChanged(purpose=purpose, statement=about.statement)
    return await record(
        tx, brand_id, account_id, purpose, granted, seen_statement_digest or in_force, policy.digest, locale, surface
    )


async def current(reader: Reader, brand_id: str, account_id: str) -> dict[str, ConsentState]:
    """The decision that counts, by purpose; purposes never decided on are absent."""
    return {row.purpose: _state(row) for row in await repository.latest_of_each(reader, brand_id, account_id)}


async def mint_permit(
    reader: Reader,
    *,
    brand_id: str,
    account_id: str | None,
    purpose: str,
    categories: Iterable[str],
    policy: EffectivePolicy,
) -> Permit:
    """Prove that `purpose` may touch `categories` of the account's data for the next seconds.

    Args:
        account_id: None where there is no account yet; a purpose that rests on consent then gets no permit.

    Raises:
        PermitRefused: no policy pack declares the purpose, or no rule lets it carry these categories. Final.
        ConsentRequired: final until the person agrees.
    """
    wanted = frozenset(categories)
    about = policy.purposes.get(purpose)
    if about is None or not wanted or not policy.allows_egress(purpose, wanted):
        raise PermitRefused(purpose=purpose, categories=sorted(wanted))
    if about.basis is Basis.consent:
        decision = account_id and await repository.latest(reader, brand_id, account_id, purpose)
        if not is_live(_state(decision) if decision else None, about):
            raise ConsentRequired(purpose=purpose, statement=about.statement)
    return Permit(
        brand_id=brand_id,
        account_id=account_id,
        purpose=purpose,
        categories=wanted,
        policy_digest=policy.digest,
        issued_at=reader.now,
        expires_at=reader.now + permit.LIFETIME,
    )


async def erase_account(tx: AnyTransaction, account_id: str) -> None:
    """Delete every decision of an account. Idempotent."""
    await repository.delete_all(tx, account_id)


def _state(decision: Decision) -> ConsentState:
    return ConsentState(decision.purpose, decision.granted, decision.statement_digest, decision.created_at)
