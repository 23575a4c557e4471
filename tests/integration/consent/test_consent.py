"""Decisions people make, and the permits that follow."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from statuette.dataset import Dataset
from statuette.errors import NotFound
from statuette.kernel.db.database import Database
from statuette.kernel.db.schema import tables
from statuette.kernel.domain.consent import service
from statuette.kernel.domain.consent.dataset import dataset
from statuette.kernel.domain.consent.flow import ConsentFlow
from statuette.kernel.domain.consent.schemas import ConsentResponse
from statuette.kernel.domain.consent.service import ConsentRequired, PurposeNotOptional, StatementChanged
from statuette.kernel.enforcement import deadlines
from statuette.kernel.permit import Permit, PermitRefused
from statuette.policy import EffectivePolicy, compile_policy
from statuette.testing import FrozenClock
from statuette_policies import BASELINE

BRAND = "brd_one"
ADA = "acc_ada"
PHOTO = frozenset({"photo"})


@pytest.fixture
def policy() -> EffectivePolicy:
    return compile_policy([BASELINE])


@pytest.fixture
def flow(database: Database) -> ConsentFlow:
    return ConsentFlow(database)


def reworded(policy: EffectivePolicy) -> EffectivePolicy:
    """The same policy after its statement on making figurines has been rewritten."""
    purpose = msgspec.structs.replace(policy.purposes["generation"], statement="I may use this picture for anything.")
    return msgspec.structs.replace(
        policy, purposes={**policy.purposes, "generation": purpose}, digest="sha256:another policy"
    )


async def decide(
    flow: ConsentFlow,
    policy: EffectivePolicy,
    granted: bool,
    *,
    account_id: str = ADA,
    purpose: str = "generation",
    seen: str | None = None,
) -> ConsentResponse:
    return await flow.decide(
        brand_id=BRAND,
        account_id=account_id,
        purpose=purpose,
        granted=granted,
        statement_digest=seen,
        policy=policy,
        locale="en",
        surface="api",
    )


async def permit(
    database: Database,
    policy: EffectivePolicy,
    *,
    account_id: str | None = ADA,
    brand_id: str = BRAND,
    purpose: str = "generation",
    categories: frozenset[str] = PHOTO,
) -> Permit:
    async with database.read() as reader:
        return await service.mint_permit(
            reader, brand_id=brand_id, account_id=account_id, purpose=purpose, categories=categories, policy=policy
        )


async def test_without_a_decision_there_is_no_permit(database: Database, policy: EffectivePolicy) -> None:
    with pytest.raises(ConsentRequired) as refused:
        await permit(database, policy)

    assert refused.value.code == "consent_required"
    assert refused.value.attributes == {
        "purpose": "generation",
        "statement": policy.purposes["generation"].statement,
    }


async def test_a_grant_gives_a_permit_for_half_a_minute(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy, clock: FrozenClock
) -> None:
    await decide(flow, policy, True)

    given = await permit(database, policy, categories=frozenset({"photo", "style_choices"}))

    now = clock.now()
    assert given.policy_digest == policy.digest
    assert given.covers("generation", PHOTO, now)
    assert given.covers("generation", frozenset({"photo", "style_choices"}), now + timedelta(seconds=29.9))
    assert not given.covers("generation", PHOTO, now + timedelta(seconds=30))
    assert not given.covers("generation", PHOTO, now - timedelta(microseconds=1))
    assert not given.covers("generation", frozenset({"photo", "figurine"}), now)
    assert not given.covers("service_mail", PHOTO, now)


async def test_consent_taken_back_denies_the_next_permit_and_given_again_allows_it(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy
) -> None:
    # All at one moment: the order of decisions counts, not the grain of the clock.
    await decide(flow, policy, True)
    await permit(database, policy)

    await decide(flow, policy, False)
    with pytest.raises(ConsentRequired):
        await permit(database, policy)

    await decide(flow, policy, True)
    assert (await permit(database, policy)).account_id == ADA


async def test_the_later_decision_counts_though_its_clock_is_behind(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy, clock: FrozenClock
) -> None:
    await decide(flow, policy, True)
    behind = Database(database.engine, FrozenClock(clock.now() - timedelta(seconds=2)))

    await decide(ConsentFlow(behind), policy, False)

    clock.advance(timedelta(seconds=1))
    with pytest.raises(ConsentRequired):
        await permit(database, policy)


async def test_decisions_at_once_leave_one_that_counts(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy
) -> None:
    await asyncio.gather(*(decide(flow, policy, number % 2 == 0) for number in range(8)))

    async with database.read() as reader:
        moments = await reader.rows("SELECT created_at FROM consent_record")
        states = await service.current(reader, BRAND, ADA)
    assert len({row["created_at"] for row in moments}) == 8
    assert set(states) == {"generation"}


async def test_a_grant_is_of_one_account_and_one_brand(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy
) -> None:
    await decide(flow, policy, True)

    with pytest.raises(ConsentRequired):
        await permit(database, policy, account_id="acc_eve")
    with pytest.raises(ConsentRequired):
        await permit(database, policy, account_id=None)
    with pytest.raises(ConsentRequired):
        await permit(database, policy, brand_id="brd_two")


async def test_agreeing_to_other_words_is_not_agreeing_to_these(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy
) -> None:
    # Given a grant of the wording in force
    shown = (await decide(flow, policy, True)).statement_digest

    # When the wording changes
    changed = reworded(policy)

    # Then the grant is not live, the old wording cannot be granted, but can be taken back
    with pytest.raises(ConsentRequired):
        await permit(database, changed)
    listed = {row.purpose: row for row in (await flow.purposes(brand_id=BRAND, account_id=ADA, policy=changed)).items}
    assert listed["generation"].granted is False
    with pytest.raises(StatementChanged):
        await decide(flow, changed, True, seen=shown)
    assert (await decide(flow, changed, False, seen=shown)).granted is False
    assert (await decide(flow, changed, True, seen=listed["generation"].statement_digest)).granted is True


async def test_a_contract_needs_no_decision_but_a_rule(database: Database, policy: EffectivePolicy) -> None:
    given = await permit(database, policy, account_id=None, purpose="service_mail", categories=frozenset({"email"}))

    assert given.account_id is None
    for purpose, categories in (
        ("service_mail", frozenset({"photo"})),
        ("service_mail", frozenset[str]()),
        ("account", frozenset({"email"})),
        ("advertising", frozenset({"email"})),
    ):
        with pytest.raises(PermitRefused):
            await permit(database, policy, purpose=purpose, categories=categories)


async def test_no_grant_outgrows_the_policy(database: Database, flow: ConsentFlow, policy: EffectivePolicy) -> None:
    await decide(flow, policy, True)

    with pytest.raises(PermitRefused):
        await permit(database, policy, categories=frozenset({"photo", "email"}))


async def test_only_what_rests_on_consent_can_be_decided_on(flow: ConsentFlow, policy: EffectivePolicy) -> None:
    with pytest.raises(PurposeNotOptional):
        await decide(flow, policy, False, purpose="billing")
    with pytest.raises(NotFound):
        await decide(flow, policy, True, purpose="advertising")


async def test_purposes_are_listed_with_their_decisions(
    flow: ConsentFlow, policy: EffectivePolicy, clock: FrozenClock
) -> None:
    before = await flow.purposes(brand_id=BRAND, account_id=ADA, policy=policy)
    await decide(flow, policy, True)
    after = await flow.purposes(brand_id=BRAND, account_id=ADA, policy=policy)

    assert [row.purpose for row in before.items] == sorted(policy.purposes)
    assert {row.purpose: (row.basis, row.granted, row.decided_at) for row in before.items}["generation"] == (
        "consent",
        False,
        None,
    )
    decided = {row.purpose: (row.granted, row.decided_at) for row in after.items}
    assert decided["generation"] == (True, clock.now())
    assert decided["billing"] == (None, None)


async def test_decisions_of_an_account_past_its_erasure_give_nothing(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy, clock: FrozenClock
) -> None:
    await decide(flow, policy, True)
    async with database.transaction() as tx:
        await deadlines.schedule(
            tx,
            brand_id=BRAND,
            account_id=ADA,
            dataset="accounts",
            record_id=ADA,
            rule="account.erase",
            policy_digest=policy.digest,
            due_at=tx.now + timedelta(days=7),
        )
    await permit(database, policy)

    clock.advance(timedelta(days=7))

    with pytest.raises(ConsentRequired):
        await permit(database, policy)
    async with database.read() as reader:
        assert await service.current(reader, BRAND, ADA) == {}


async def test_the_history_is_exported_whole_and_kept_under_a_pseudonym_once_the_account_has_gone(
    database: Database, flow: ConsentFlow, policy: EffectivePolicy
) -> None:
    for granted in (True, False):
        await decide(flow, policy, granted)
    await decide(flow, policy, True, account_id="acc_eve")

    async with database.transaction() as tx:
        consents = described(policy)
        exported = await consents.handler.export(tx, ADA)
        assert consents.of_account is not None and consents.of_account.erase is not None
        done = [await consents.of_account.erase(tx, ADA, "psn_ada", 1) for _ in range(3)]
        left = await consents.handler.export(tx, ADA)
        kept = await consents.handler.export(tx, "psn_ada")
        others = await consents.handler.export(tx, "acc_eve")
        deadlines = await tx.rows("SELECT rule, account_id, due_at FROM deadline")

    assert [bool(row["granted"]) for row in exported] == [True, False]
    assert {row["policy_digest"] for row in exported} == {policy.digest}
    assert (done, left, len(kept), len(others)) == ([1, 1, 0], [], 2, 1)
    assert {(row["rule"], row["account_id"]) for row in deadlines} == {("consent.proof", "psn_ada")}
    assert len(deadlines) == 2


def described(policy: EffectivePolicy) -> Dataset:
    async def policy_of(_: str) -> EffectivePolicy:
        return policy

    return dataset(policy_of)


def test_every_column_is_classified_and_every_rule_exists(policy: EffectivePolicy) -> None:
    columns = {table._meta.tablename: {column._meta.name for column in table._meta.columns} for table in tables()}

    consents = described(policy)
    assert set(consents.categories()) <= set(policy.categories)
    assert set(consents.ended_by) <= set(policy.retain)
    assert {table.table: set(table.columns) for table in consents.tables} == {
        name: columns[name] for name in ("consent_record", "consent_text", "processing_stop")
    }
