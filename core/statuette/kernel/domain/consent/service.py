"""What people agreed to, and the permits that follow from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from statuette.errors import Conflict, NotFound, StatuetteError
from statuette.kernel import permit
from statuette.kernel.db.database import Reader, Transaction
from statuette.kernel.domain.consent import repository, stops, texts
from statuette.kernel.domain.consent.repository import Decision, RecordRow
from statuette.kernel.enforcement import deadlines
from statuette.kernel.journal.entries import Wish
from statuette.kernel.journal.notes import note
from statuette.kernel.permit import Permit, PermitRefused
from statuette.policy import Basis, EffectivePolicy, Publication, Purpose, enforces

Method = Literal["explicit", "signal", "unsubscribe"]
"""How a decision came about: said by the person, by their browser (`Sec-GPC`), or by the link in a letter."""
DATASET = "consents"
PROOF = "consent.proof"
_TICK = timedelta(microseconds=1)
WITHDRAWN = "consent.withdrawn"


class ConsentRequired(StatuetteError):
    """The purpose needs the person's agreement and has none that is live. Final until they agree.

    Attributes `purpose`, `statement` (what they would agree to).
    """

    code = "consent_required"
    summary = "This needs your agreement first."


class ConsentOutdated(ConsentRequired):
    """The person had agreed, and what they agreed to has changed since. Final until they agree again.

    Attributes `purpose`, `statement` (what they would agree to).
    """

    code = "consent_outdated"
    summary = "What you agreed to has changed, so this needs your agreement again."


class PurposeDeclined(PermitRefused):
    """The person said no to a purpose that would need no yes. Final until they change their mind. Attribute `purpose`."""

    code = "purpose_declined"
    summary = "The person does not want this use of their data."


class PurposeNotOptional(Conflict):
    """Nobody is asked about this purpose: people have no say in it. Attributes `purpose`, `basis`."""

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


def statement_digest(purpose: Purpose, locale: str = texts.ENGLISH) -> str:
    """Names one wording of one purpose, as `sha256:<hex>`."""
    return texts.text(purpose, locale).digest


@enforces("right.withdrawal")
def is_live(state: ConsentState | None, purpose: Purpose, publication: Publication | None = None) -> bool:
    """Whether a decision grants the purpose as it is worded today: agreeing to other words was agreeing to other things.

    So was agreeing before a version was published that asks again. What needs no yes is granted unless the person said no, in
    whatever words.
    """
    if purpose.opt_out:
        return state is None or state.granted
    if state is None or not state.granted:
        return False
    since = publication.asked_since.get(purpose.id) if publication is not None else None
    return (since is None or state.decided_at >= since) and state.statement_digest in texts.texts(purpose)


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
    method: Method = "explicit",
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
        method=method,
        decided_by=_decided_by(method),
    )
    if not granted:
        await note(
            tx, Wish(at, brand_id, account_id, WITHDRAWN, purpose, statement_digest, policy_digest, locale, method)
        )
    return _state(decision)


async def withdraw_again(tx: Transaction, wish: Wish) -> bool:
    """After a restore: the account's decision that was taken back is taken back again. Idempotent; whether it had to be."""
    await repository.lock(tx, wish.account_id)
    before = await repository.latest(tx, wish.brand_id, wish.account_id, wish.about)
    if before is not None and (before.created_at > wish.at or not before.granted):
        return False
    decision = Decision(wish.about, False, wish.digest, wish.at)
    await repository.add(
        tx,
        brand_id=wish.brand_id,
        account_id=wish.account_id,
        decision=decision,
        policy_digest=wish.policy_digest,
        locale=wish.locale,
        surface="journal",
        method=wish.method,
        decided_by=_decided_by(wish.method),
    )
    return True


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
    method: Method = "explicit",
) -> ConsentState:
    """Record a person's own decision on a purpose that they have a say in, and keep the words they decided on.

    Args:
        seen_statement_digest: of the wording shown to them; None: the one in force in their language.
        locale: their language.

    Raises:
        NotFound: no such purpose. PurposeNotOptional: it rests on something else. StatementChanged: they agreed to
            other words; taking consent back is never refused for that.
    """
    about = policy.purposes.get(purpose)
    if about is None:
        raise NotFound("There is no such purpose.")
    if not about.decidable:
        raise PurposeNotOptional(purpose=purpose, basis=about.basis.value)
    in_force = texts.text(about, locale)
    shown = in_force if seen_statement_digest is None else texts.texts(about).get(seen_statement_digest)
    if granted and shown is None:
        raise StatementChanged(purpose=purpose, statement=in_force.statement)
    if shown is not None:
        await repository.keep_text(tx, digest=shown.digest, purpose=purpose, locale=shown.locale, body=shown.statement)
    return await record(
        tx,
        brand_id,
        account_id,
        purpose,
        granted,
        seen_statement_digest or in_force.digest,
        policy.digest,
        shown.locale if shown is not None else locale,
        surface,
        method,
    )


async def opt_out_by_signal(tx: Transaction, *, brand_id: str, account_id: str, policy: EffectivePolicy) -> list[str]:
    """The browser says no (`Sec-GPC: 1`): decline whatever that counts for, once; returns which purposes.

    A person who says yes after that means it, and their browser does not overrule them again.
    """
    meant = {purpose.id for purpose in policy.purposes.values() if purpose.signal and purpose.decidable}
    if not meant:
        return []
    await repository.lock(tx, account_id)
    told = await repository.decided_by_method(tx, brand_id, account_id, "signal")
    for purpose in sorted(meant - told):
        await decide(
            tx,
            brand_id=brand_id,
            account_id=account_id,
            purpose=purpose,
            granted=False,
            seen_statement_digest=None,
            policy=policy,
            locale=texts.ENGLISH,
            surface="sec-gpc",
            method="signal",
        )
    return sorted(meant - told)


async def keep_text(tx: Transaction, *, digest: str, purpose: str, locale: str, body: str) -> None:
    """Keep words as they were shown; once for all who saw them."""
    await repository.keep_text(tx, digest=digest, purpose=purpose, locale=locale, body=body)


async def current(reader: Reader, brand_id: str, account_id: str) -> dict[str, ConsentState]:
    """The decision that counts, by purpose; purposes never decided on are absent."""
    return {row.purpose: _state(row) for row in await repository.latest_of_each(reader, brand_id, account_id)}


async def history(
    reader: Reader, brand_id: str, account_id: str, *, purpose: str | None, before: str | None, limit: int
) -> list[RecordRow]:
    """Decisions on record, newest first."""
    return await repository.page(reader, brand_id, account_id, purpose=purpose, before=before, limit=limit)


async def kept_texts(reader: Reader, digests: Sequence[str]) -> dict[str, str]:
    """Texts as they were shown, by digest; what was never kept is absent."""
    return await repository.kept_texts(reader, digests)


async def is_granted(reader: Reader, brand_id: str, account_id: str, purpose: str, policy: EffectivePolicy) -> bool:
    """Whether an optional purpose may use the account's data now."""
    about = policy.purposes.get(purpose)
    if about is None:
        return False
    decision = await repository.latest(reader, brand_id, account_id, purpose)
    return is_live(_state(decision) if decision else None, about, policy.publication)


def undeclined(purpose: str, account: str, brand: str) -> str:
    """SQL that holds unless the account has said no to a purpose that needs no yes, or stopped it.

    Args:
        account, brand: SQL of their ids.
    """
    return repository.undeclined(purpose, account, brand)


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
        ProcessingStopped: final while what the person asked for holds.
        PurposeDeclined: final until the person changes their mind.
        ConsentRequired, ConsentOutdated: final until the person agrees, or agrees again.
    """
    wanted = frozenset(categories)
    about = policy.purposes.get(purpose)
    if about is None or not wanted or not policy.allows_egress(purpose, wanted):
        raise PermitRefused(purpose=purpose, categories=sorted(wanted))
    if account_id is not None:
        await stops.require_running(reader, brand_id, account_id, purpose)
    if about.decidable:
        decision = account_id and await repository.latest(reader, brand_id, account_id, purpose)
        if not is_live(_state(decision) if decision else None, about, policy.publication):
            if about.opt_out:
                raise PurposeDeclined(purpose=purpose)
            if decision and decision.granted:
                raise ConsentOutdated(
                    purpose=purpose,
                    statement=about.statement,
                    cure=f"Show `GET /v1/account/consents` and send the answer to `PUT /v1/account/consents/{purpose}`.",
                )
            raise ConsentRequired(purpose=purpose, statement=about.statement)
    return Permit(
        brand_id=brand_id,
        account_id=account_id,
        purpose=purpose,
        categories=wanted,
        policy_digest=policy.digest,
        issued_at=reader.now,
        expires_at=reader.now + permit.LIFETIME,
        receivers=_receivers(policy, about, wanted),
    )


def _receivers(policy: EffectivePolicy, purpose: Purpose, categories: frozenset[str]) -> frozenset[str] | None:
    """Who may get it: whom the rules name, and of these, where people agreed, those they were told of."""
    named = policy.receivers(purpose.id, categories)
    if policy.publication is None or purpose.basis is not Basis.consent:
        return named
    told = frozenset(policy.publication.receivers.get(purpose.id, ()))
    return told if named is None else named & told


async def pseudonymise_account(
    tx: Transaction, account_id: str, pseudonym: str, limit: int, policy_of: Callable[[str], Awaitable[EffectivePolicy]]
) -> int:
    """The account ends: what shows that it agreed is kept under the pseudonym for as long as `consent.proof` says.

    Args:
        policy_of: the policy in force for a brand.

    Returns:
        How many records that were, at most `limit`.
    """
    found = await repository.owned(tx, account_id, limit)
    if not found:
        return await stops.forget_account(tx, account_id)
    for each in found:
        policy = await policy_of(each.brand_id)
        await repository.rename(tx, each.id, pseudonym)
        await deadlines.schedule(
            tx,
            brand_id=each.brand_id,
            account_id=pseudonym,
            dataset=DATASET,
            record_id=each.id,
            rule=PROOF,
            policy_digest=policy.digest,
            due_at=policy.rule(PROOF).due(tx.now),
        )
    return len(found)


def _decided_by(method: str) -> str:
    return "browser" if method == "signal" else "account"


def _state(decision: Decision) -> ConsentState:
    return ConsentState(decision.purpose, decision.granted, decision.statement_digest, decision.created_at)
