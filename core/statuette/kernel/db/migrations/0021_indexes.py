"""Indexes of what people ask for by right, and of what is of one account."""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from statuette.kernel.db.migrating import Index, migration

ID = "0021_indexes"

INDEXES = (
    Index("deadline_of_account", "deadline (account_id)"),
    Index("privacy_request_closed", "privacy_request (closed_at) WHERE closed_at IS NOT NULL"),
    Index("privacy_request_due", "privacy_request (due_at) WHERE state IN ('open', 'scheduled')"),
    Index("privacy_request_of_account", "privacy_request (account_id, id)"),
    Index("privacy_request_of_brand", "privacy_request (brand_id, id)"),
    Index("privacy_request_event_of_request", "privacy_request_event (request_id, id)"),
    Index("processing_stop_of_account", "processing_stop (account_id)"),
    Index("receipt_of_holder", "receipt (holder) WHERE holder IS NOT NULL"),
    Index("stream_ticket_of_account", "stream_ticket (account_id)"),
    Index("tombstone_by_age", "tombstone (created_at)"),
)


async def forwards() -> MigrationManager:
    return migration(ID, "Indexes")
