"""Everything that is stored is described once: its category, what ends it, where its bytes are. And every error has its answer."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from piccolo.apps.migrations.commands.new import AutoMigrationManager
from piccolo.conf.apps import Finder

import statuette
from statuette.dataset import Dataset
from statuette.errors import ConfigurationError, StatuetteError
from statuette.kernel.app import compose
from statuette.kernel.db.database import Database
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import APP, migrate, piccolo_works_on, tables
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.http.problems import status_of
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import Settings
from statuette.policy import EffectivePolicy, Sensitivity, compile_policy
from statuette.testing import FrozenClock

# Errors that reach a caller only if we are wrong: they are answered as `internal_error`, and an operator looks at the log. So is
# every `ConfigurationError`.
OURS_TO_ANSWER_FOR = frozenset(
    {
        "backup_damaged",
        "drill_road_broken",
        "egress_denied",
        "field_unreadable",
        "internal_error",
        "invalid_object_key",
        "journal_unreadable",
        "key_destroyed",
        "lease_lost",
        "ledger_broken",
        "log_not_verified",
        "mail_refused",
        "object_exists",
        "object_not_found",
        "payload_not_an_id",
        "permit_expired",
        "unique_violation",
        "unknown_handle",
        "unknown_schema",
    }
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    settings = Settings(data_dir=tmp_path_factory.mktemp("classified"))
    return compose(settings, FrozenClock(), PluginRegistry.survey(settings, FrozenClock()))


@pytest.fixture(scope="module")
def policy(platform: Platform) -> EffectivePolicy:
    return compile_policy(platform.plugins.policy_packs)


def _stored_columns() -> set[tuple[str, str]]:
    return {
        (table._meta.tablename, column._meta.db_column_name) for table in tables() for column in table._meta.columns
    }


def _described_columns(platform: Platform) -> Counter[tuple[str, str]]:
    return Counter(
        (table.table, column)
        for dataset in platform.datasets.values()
        for table in dataset.tables
        for column in table.columns
    )


def test_every_stored_column_is_classified_in_exactly_one_dataset(platform: Platform) -> None:
    described = _described_columns(platform)

    assert sorted(_stored_columns() - set(described)) == []
    assert sorted(set(described) - _stored_columns()) == []
    assert [column for column, times in described.items() if times > 1] == []


def test_every_category_is_declared_by_a_policy_pack(platform: Platform, policy: EffectivePolicy) -> None:
    used = {category for dataset in platform.datasets.values() for category in dataset.categories()}

    assert sorted(used - set(policy.categories)) == []


def test_every_dataset_that_concerns_a_person_is_ended_by_a_rule(platform: Platform, policy: EffectivePolicy) -> None:
    for dataset in platform.datasets.values():
        unknown = [rule for rule in dataset.ended_by if rule not in policy.retain]
        assert unknown == [], (dataset.name, unknown)
        if _concerns_a_person(dataset, policy):
            assert dataset.ended_by, dataset.name


def test_every_rule_ends_a_dataset_that_exists_and_is_named_by_it(platform: Platform, policy: EffectivePolicy) -> None:
    for rule in policy.retain.values():
        assert rule.dataset in platform.datasets, (rule.id, rule.dataset)
        assert rule.id in platform.datasets[rule.dataset].ended_by, rule.id


def test_every_stored_object_lies_below_a_prefix_of_its_dataset(platform: Platform) -> None:
    prefixes = {name: dataset.object_prefixes for name, dataset in platform.datasets.items() if dataset.object_prefixes}

    assert {
        "uploads": (uploads.object_prefix("{brand_id}", "{id}"),),
        "figurines": (figurines.object_prefix("{brand_id}", "{id}"),),
    }.items() <= prefixes.items()
    all_prefixes = [prefix for templates in prefixes.values() for prefix in templates]
    assert len(set(all_prefixes)) == len(all_prefixes)
    for prefix in all_prefixes:
        assert prefix.endswith("/") and "{id}" in prefix and "{brand_id}" in prefix
    assert uploads.object_key("{brand_id}", "{id}").startswith(prefixes["uploads"])
    assert figurines.object_key("{brand_id}", "{id}", "original").startswith(prefixes["figurines"])


async def test_the_migrations_make_the_tables_that_are_declared(tmp_path: Path) -> None:
    database = Database(engine_for(f"sqlite:///{tmp_path}/statuette.db"), FrozenClock())
    try:
        await database.open()
        await migrate(database.engine)

        with piccolo_works_on(database.engine):
            statements = await AutoMigrationManager().get_alter_statements(Finder().get_app_config(APP))
        assert [statement for group in statements for statement in group.statements] == []
        async with database.read() as reader:
            for table in tables():
                made = await reader.rows(f"SELECT name FROM pragma_table_info('{table._meta.tablename}')")
                declared = {column._meta.db_column_name for column in table._meta.columns}
                assert {row["name"] for row in made} == declared, table._meta.tablename
    finally:
        await database.close()


async def test_a_time_without_a_zone_never_reaches_the_database(database: Database) -> None:
    naive, aware = datetime(2026, 1, 15, 12, 0), datetime(2026, 1, 15, 12, 0, tzinfo=UTC)  # noqa: DTZ001
    sql = "SELECT id FROM upload WHERE created_at < :moment"

    async with database.read() as reader:
        assert await reader.rows(sql, moment=aware) == []
        for ask in (reader.rows, reader.value):
            with pytest.raises(TypeError, match="moment"):
                await ask(sql, moment=naive)
    async with database.transaction() as tx:
        for change in (tx.execute, tx.changed):
            with pytest.raises(TypeError, match="moment"):
                await change("UPDATE upload SET saved_at = :moment WHERE id = 'x' RETURNING id", moment=naive)


def _errors() -> list[type[StatuetteError]]:
    """Every error of the platform, its tests' own parts left out."""
    for module in pkgutil.walk_packages(statuette.__path__, "statuette."):
        if not module.name.startswith("statuette.testing") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: list[type[StatuetteError]] = []
    queue: list[type[StatuetteError]] = [StatuetteError]
    while queue:
        error = queue.pop()
        queue += error.__subclasses__()
        inside = error.__module__.startswith("statuette.") and not error.__module__.startswith("statuette.testing")
        if inside and getattr(sys.modules[error.__module__], error.__name__, None) is error:
            found.append(error)
    return found


def test_only_errors_that_are_ours_to_answer_for_are_a_500() -> None:
    unanswered = {error.code for error in _errors() if _is_internal(error)}

    assert unanswered == OURS_TO_ANSWER_FOR


def _is_internal(error: type[StatuetteError]) -> bool:
    return status_of(error.__new__(error)) == 500 and not issubclass(error, ConfigurationError)


def test_no_two_errors_share_a_code_unless_one_is_a_kind_of_the_other() -> None:
    declared: dict[str, type[StatuetteError]] = {}
    for error in _errors():
        if "code" in vars(error):
            assert declared.setdefault(error.code, error) is error, (error, declared[error.code])
    assert len(declared) > 60


def test_codes_are_snake_case_and_every_error_says_what_happened() -> None:
    for error in _errors():
        assert error.code == error.code.lower() and error.code.replace("_", "").isalpha(), error
        assert error.summary.endswith("."), error


def _concerns_a_person(dataset: Dataset, policy: EffectivePolicy) -> bool:
    return any(policy.categories[category].sensitivity is Sensitivity.personal for category in dataset.categories())


# What ends in the account's own step, or holds its id for another reason.
GOES_WITH_THE_ACCOUNT_ITSELF = {
    "sessions": "in the transaction that deletes the account",
    "receipts": "in the transaction that deletes the account",
    "takedowns": "in the transaction that deletes the account",
    "operations": "deadlines, which go with what they were for",
}


def test_every_dataset_that_names_an_account_goes_with_it(platform: Platform) -> None:
    naming = {
        dataset.name
        for dataset in platform.datasets.values()
        if any("account_id" in table.columns for table in dataset.tables)
    }
    cascading = {name for name in naming if platform.datasets[name].of_account is not None}

    assert naming - cascading == set(GOES_WITH_THE_ACCOUNT_ITSELF)
    for name in cascading:
        of_account = platform.datasets[name].of_account
        assert of_account is not None
        assert (of_account.rule is None) != (of_account.erase is None), name
