"""Unique keys and the indexes that the hot queries need. Plain SQL that both engines understand."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import migration, run_sql

ID = "0002_indexes"

_STATEMENTS = (
    "CREATE UNIQUE INDEX brand_by_slug ON brand (slug)",
    "CREATE INDEX brand_host_by_brand ON brand_host (brand_id)",
    "CREATE UNIQUE INDEX api_key_by_hash ON api_key (token_hash)",
    "CREATE INDEX api_key_by_brand ON api_key (brand_id)",
    "CREATE UNIQUE INDEX account_by_address ON account (brand_id, email_index)",
    "CREATE INDEX signin_code_by_address ON signin_code (brand_id, email_index, created_at)",
    "CREATE INDEX signin_code_by_age ON signin_code (created_at)",
    "CREATE UNIQUE INDEX session_by_hash ON session (token_hash)",
    "CREATE INDEX session_by_account ON session (account_id)",
    "CREATE INDEX session_by_age ON session (created_at)",
    "CREATE INDEX consent_by_purpose ON consent_record (account_id, purpose, created_at)",
    "CREATE INDEX upload_by_account ON upload (account_id, id)",
    "CREATE INDEX generation_by_account ON generation (account_id, id)",
    "CREATE INDEX generation_unfinished ON generation (expires_at) WHERE finished_at IS NULL",
    "CREATE UNIQUE INDEX generation_input_by_position ON generation_input (generation_id, position)",
    "CREATE INDEX generation_input_by_upload ON generation_input (upload_id) WHERE upload_id IS NOT NULL",
    "CREATE INDEX generation_input_by_figurine ON generation_input (figurine_id) WHERE figurine_id IS NOT NULL",
    "CREATE UNIQUE INDEX attempt_by_number ON attempt (generation_id, number)",
    "CREATE UNIQUE INDEX figurine_by_attempt ON figurine (attempt_id, position)",
    "CREATE INDEX figurine_by_generation ON figurine (generation_id)",
    "CREATE INDEX figurine_by_account ON figurine (account_id, id)",
    "CREATE INDEX credit_lot_by_account ON credit_lot (account_id, expires_at) WHERE remaining > 0",
    "CREATE INDEX credit_lot_due ON credit_lot (expires_at) WHERE remaining > 0",
    "CREATE UNIQUE INDEX credit_hold_by_reference ON credit_hold (reference)",
    "CREATE INDEX credit_hold_by_account ON credit_hold (account_id)",
    "CREATE INDEX credit_hold_lot_by_hold ON credit_hold_lot (hold_id)",
    "CREATE INDEX credit_hold_lot_by_lot ON credit_hold_lot (lot_id)",
    "CREATE UNIQUE INDEX ledger_transfer_by_key ON ledger_transfer (brand_id, transfer_key)",
    "CREATE INDEX ledger_transfer_by_account ON ledger_transfer (account_id, id)",
    "CREATE INDEX ledger_entry_by_transfer ON ledger_entry (transfer_id)",
    "CREATE INDEX ledger_entry_by_account ON ledger_entry (ledger_account)",
    "CREATE UNIQUE INDEX deadline_by_record ON deadline (record_id, rule)",
    "CREATE INDEX deadline_due ON deadline (due_at) WHERE state = 'scheduled'",
    "CREATE UNIQUE INDEX work_item_by_subject ON work_item (actor, subject_id)",
    "CREATE INDEX work_item_due ON work_item (due_at)",
    "CREATE UNIQUE INDEX finding_by_subject ON finding (code, subject)",
    "CREATE UNIQUE INDEX generation_event_by_seq ON generation_event (generation_id, seq)",
    "CREATE INDEX stream_ticket_by_age ON stream_ticket (created_at)",
    "CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at)",
)


async def forwards() -> MigrationManager:
    manager = migration(ID, "Unique keys and indexes")
    run_sql(manager, _STATEMENTS)
    return manager
