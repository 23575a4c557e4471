"""What accounts owe, and what is behind a movement of credits."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.columns import optional_ident, whole
from statuette.kernel.db.migrating import add_column, migration

ID = "0028_debts"


async def forwards() -> MigrationManager:
    manager = migration(ID, "Debts")
    add_column(manager, "Wallet", "wallet", "debt", whole())
    add_column(manager, "LedgerTransfer", "ledger_transfer", "cause", optional_ident())
    return manager
