"""The profile, and what is exported, swept and erased."""

from __future__ import annotations

from datetime import timedelta

import pytest

from statuette.dataset import Closure, Dataset
from statuette.errors import InvalidInput, NotFound
from statuette.kernel.db.database import Database
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.db.schema import tables
from statuette.kernel.domain.accounts import service
from statuette.kernel.domain.accounts.dataset import datasets
from statuette.kernel.domain.accounts.schemas import ProfileUpdate
from statuette.kernel.enforcement import deadlines
from statuette.kernel.enforcement.cascade import Cascade
from statuette.policy import EffectivePolicy
from statuette.ports.keys import KeyDestroyed
from statuette.testing import FrozenClock
from statuette.testing.memory_key_store import MemoryKeyStore

from .signin import BRAND, OTHER_BRAND, Signin

ADA = "ada@example.org"


@pytest.fixture
def by_name(cipher: FieldCipher) -> dict[str, Dataset]:
    return {dataset.name: dataset for dataset in datasets(cipher, Cascade(lambda account_id: "psn_ada"))}


async def test_a_profile_is_read_changed_and_cleared(signin: Signin) -> None:
    account_id = (await signin.sign_in(ADA)).account_id
    flow = signin.flow

    fresh = await flow.profile(brand_id=BRAND, account_id=account_id)
    named = await flow.update_profile(
        brand_id=BRAND, account_id=account_id, update=ProfileUpdate(name="  Ada Λ ", locale="pt-BR")
    )
    untouched = await flow.update_profile(brand_id=BRAND, account_id=account_id, update=ProfileUpdate())
    cleared = await flow.update_profile(brand_id=BRAND, account_id=account_id, update=ProfileUpdate(name=None))

    assert (fresh.email, fresh.name, fresh.locale, fresh.expires_at) == (ADA, None, "en", None)
    assert (named.name, named.locale) == ("Ada Λ", "pt-BR")
    assert untouched == named
    assert (cleared.name, cleared.locale) == (None, "pt-BR")
    with pytest.raises(InvalidInput):
        await flow.update_profile(brand_id=BRAND, account_id=account_id, update=ProfileUpdate(name="a\nb"))


async def test_a_profile_is_nothing_to_another_brand(signin: Signin, database: Database) -> None:
    account_id = (await signin.sign_in(ADA)).account_id

    with pytest.raises(NotFound):
        await signin.flow.profile(brand_id=OTHER_BRAND, account_id=account_id)
    with pytest.raises(NotFound):
        await signin.flow.masked(brand_id=OTHER_BRAND, account_id=account_id)
    with pytest.raises(NotFound):
        await signin.flow.update_profile(
            brand_id=OTHER_BRAND, account_id=account_id, update=ProfileUpdate(name="Eve", locale="fr")
        )
    async with database.read() as reader:
        await service.require(reader, BRAND, account_id)
        with pytest.raises(NotFound):
            await service.require(reader, OTHER_BRAND, account_id)
    assert (await signin.flow.profile(brand_id=BRAND, account_id=account_id)).name is None


async def test_support_staff_see_the_outline_of_an_address(signin: Signin) -> None:
    account_id = (await signin.sign_in("alice@mail.example.org")).account_id

    masked = await signin.flow.masked(brand_id=BRAND, account_id=account_id)

    assert masked.email == "a***@m***.org"


async def test_a_profile_says_when_it_goes_and_is_gone_then(
    signin: Signin, database: Database, clock: FrozenClock
) -> None:
    account_id = (await signin.sign_in(ADA)).account_id
    async with database.transaction() as tx:
        assert await deadlines.arm(tx, account_id, "account.erase", tx.now + timedelta(days=7))

    profile = await signin.flow.profile(brand_id=BRAND, account_id=account_id)
    clock.advance(timedelta(days=7))

    assert profile.expires_at == clock.now()
    with pytest.raises(NotFound):
        await signin.flow.profile(brand_id=BRAND, account_id=account_id)
    with pytest.raises(NotFound):
        await signin.flow.update_profile(brand_id=BRAND, account_id=account_id, update=ProfileUpdate(locale="fr"))


async def test_an_export_is_readable_and_holds_no_secret(
    signin: Signin, database: Database, by_name: dict[str, Dataset]
) -> None:
    signed_in = await signin.sign_in(ADA, cookie=True)
    await signin.sign_in("eve@example.org")
    await signin.flow.update_profile(brand_id=BRAND, account_id=signed_in.account_id, update=ProfileUpdate(name="Ada"))

    async with database.transaction() as tx:
        exported = {name: await kind.handler.export(tx, signed_in.account_id) for name, kind in by_name.items()}

    assert [(row["email"], row["name"]) for row in exported["accounts"]] == [(ADA, "Ada")]
    assert [row["id"] for row in exported["sessions"]] == [signed_in.session_id]
    assert len(exported["signin_codes"]) == 1
    assert not any("hash" in column for rows in exported.values() for row in rows for column in row)


async def test_erasing_takes_rows_names_the_key_and_leaves_others_alone(
    signin: Signin,
    database: Database,
    by_name: dict[str, Dataset],
    key_store: MemoryKeyStore,
) -> None:
    ada, eve = await signin.sign_in(ADA), await signin.sign_in("eve@example.org")

    # When one is erased, twice
    handler = by_name["accounts"].handler
    async with database.transaction() as tx:
        assert await handler.closure(tx, ada.account_id) == Closure(keys=(ada.account_id,))
    await key_store.destroy(ada.account_id)  # the enforcer does, before the rows
    for _ in range(2):
        async with database.transaction() as tx:
            await handler.erase(tx, ada.account_id)

    # Then nothing of it is left, and the other is whole
    async with database.transaction() as tx:
        assert await handler.closure(tx, ada.account_id) is None
        assert await handler.closure(tx, eve.account_id) is not None
        for table in ("account", "session", "signin_code"):
            assert len(await tx.rows(f"SELECT id FROM {table}")) == 1
    with pytest.raises(KeyDestroyed):
        await key_store.create(ada.account_id)
    assert (await signin.flow.profile(brand_id=BRAND, account_id=eve.account_id)).email == "eve@example.org"
    assert (await signin.sign_in(ADA)).account_id != ada.account_id


@pytest.mark.parametrize(("name", "rule"), [("sessions", "session.keep"), ("signin_codes", "signin.codes")])
async def test_streams_are_swept_by_age_in_bounded_steps(
    signin: Signin,
    database: Database,
    by_name: dict[str, Dataset],
    policy: EffectivePolicy,
    clock: FrozenClock,
    name: str,
    rule: str,
) -> None:
    # Given three old rows and a young one
    for number in range(3):
        await signin.sign_in(f"old{number}@example.org")
    clock.advance(policy.rule(rule).due(clock.now()) - clock.now())
    await signin.sign_in(ADA)

    # When they are swept two at a time
    swept = []
    for _ in range(3):
        async with database.transaction() as tx:
            swept.append(await by_name[name].handler.sweep(tx, policy.rule(rule).cutoff(tx.now), 2))

    # Then
    assert swept == [2, 1, 0]


def test_every_column_is_classified_and_every_rule_exists(by_name: dict[str, Dataset], policy: EffectivePolicy) -> None:
    columns = {table._meta.tablename: {column._meta.name for column in table._meta.columns} for table in tables()}
    for dataset in by_name.values():
        assert set(dataset.categories()) <= set(policy.categories)
        assert set(dataset.ended_by) <= set(policy.retain)
        for table in dataset.tables:
            assert set(table.columns) == columns[table.table]
