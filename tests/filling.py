"""A database as full as that of a busy site, made by the server itself in large statements.

Rows are plausible where a plan looks: ids that sort by age, a few brands, accounts with some twenty jobs each, nearly everything
finished, deadlines that are over or still to come. Nothing of it is due, so that a platform that runs on it leaves it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from statuette.evidence import grow, key_id, leaf_hash, sign_head

_JOBS_OF_AN_ACCOUNT = 20


def _id(prefix: str, number: str) -> str:
    return f"'{prefix}_' || lpad(({number})::text, 26, '0')"


def _one_in(share: int, sql: str, otherwise: str = "NULL") -> str:
    return f"CASE WHEN n % {share} = 0 THEN {sql} ELSE {otherwise} END"


# Of row `n`: the job it belongs to, that job's account and brand, and when. `:jobs` and `:accounts` are how many there are.
_JOB = "(n % :jobs)"
_ACCOUNT_NUMBER = f"({_JOB} % :accounts)"
_ACCOUNT = _id("acc", _ACCOUNT_NUMBER)
_BRAND = f"(:brands)[1 + {_ACCOUNT_NUMBER} % array_length(:brands, 1)]"
_MADE = "(:now - ((:rows - n) % 2000000) * interval '1 second')"
_LATER = "(:now + interval '1 day' + (n % 100000) * interval '1 minute')"
_DIGEST = "'sha256:' || lpad(n::text, 64, '0')"

# Table → (rows for each job, columns → SQL of row `n`).
_TABLES: Mapping[str, tuple[float, Mapping[str, str]]] = {
    "account": (
        1 / _JOBS_OF_AN_ACCOUNT,
        {
            "id": _id("acc", "n"),
            "brand_id": "(:brands)[1 + n % array_length(:brands, 1)]",
            "email": "'\\x00'::bytea",
            "email_index": _DIGEST,
            "name": "NULL",
            "locale": "'en'",
            "created_at": _MADE,
        },
    ),
    "wallet": (
        1 / _JOBS_OF_AN_ACCOUNT,
        {
            "account_id": _id("acc", "n"),
            "brand_id": "(:brands)[1 + n % array_length(:brands, 1)]",
            "available": "0",
            "held": "0",
        },
    ),
    "api_key": (
        0.1,
        {
            "id": _id("key", "n"),
            "brand_id": _id("brd", "n / 2"),
            "kind": "'secret'",
            "label": "'filling'",
            "token_hash": _DIGEST,
            "ending": "'abcd'",
            "scopes": "''",
            "created_at": _MADE,
            "revoked_at": "NULL",
        },
    ),
    "brand_host": (0.1, {"host": "n || '.filling.test'", "brand_id": _id("brd", "n / 2")}),
    "session": (
        0.5,
        {
            "id": _id("ses", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "token_hash": _DIGEST,
            "csrf_hash": "NULL",
            "created_at": "(:now - (n % 20000) * interval '1 minute')",
            "expires_at": _LATER,
            "revoked_at": _one_in(3, ":now"),
        },
    ),
    "signin_code": (
        1,
        {
            "id": _id("cod", "n"),
            "brand_id": _BRAND,
            "email_index": f"'sha256:' || lpad({_ACCOUNT_NUMBER}::text, 64, '0')",
            "code_hash": _DIGEST,
            "attempts_left": "5",
            "created_at": "(:now - (n % 3000) * interval '1 second')",
            "expires_at": "(:now + interval '10 minutes')",
            "used_at": ":now",
        },
    ),
    "privacy_request": (
        0.1,
        {
            "id": _id("prq", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "kind": "'correction'",
            "state": _one_in(50, "'open'", "'completed'"),
            "subject": "NULL",
            "reason": "NULL",
            "statement": "NULL",
            "contact": "NULL",
            "holder": "NULL",
            "policy_digest": "'sha256:policy'",
            "asked_at": _MADE,
            "due_at": "(:now + interval '20 days' + n * interval '1 second')",
            "effective_at": "NULL",
            "closed_at": _one_in(50, "NULL", _MADE),
            "warned": "NULL",
        },
    ),
    "privacy_request_event": (
        0.2,
        {
            "id": _id("pre", "n"),
            "brand_id": _BRAND,
            "request_id": _id("prq", "n / 2"),
            "action": "'asked'",
            "actor": "'account'",
            "reason": "NULL",
            "created_at": _MADE,
        },
    ),
    "processing_stop": (
        0.1,
        {
            "id": _id("stp", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "purpose": "'marketing'",
            "reason": "'objection'",
            "request_id": _id("prq", "n"),
            "created_at": _MADE,
        },
    ),
    "receipt_holder": (
        0.1,
        {
            "account_id": _id("acc", "n"),
            "brand_id": _BRAND,
            "holder": _DIGEST,
            "subject": _DIGEST,
            "account": _DIGEST,
            "created_at": _MADE,
        },
    ),
    "tombstone": (0.1, {"id": _DIGEST, "brand_id": _BRAND, "created_at": "(:now - (n % 20000) * interval '1 minute')"}),
    "consent_record": (
        0.2,
        {
            "id": _id("con", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "purpose": "CASE n % 3 WHEN 0 THEN 'generation' WHEN 1 THEN 'marketing' ELSE 'analytics' END",
            "granted": "n % 2 = 0",
            "statement_digest": "'sha256:statement'",
            "policy_digest": "'sha256:policy'",
            "locale": "'en'",
            "surface": "'api'",
            "created_at": _MADE,
        },
    ),
    "policy_notice": (
        0.2,
        {
            "id": f"{_BRAND} || '.' || (n / 500) || '.' || {_ACCOUNT} || '.' || n",
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "version_id": f"{_BRAND} || '.' || (n / 500)",
            "state": _one_in(50, "'refused'", "'sent'"),
            "created_at": _MADE,
            "ended_at": _MADE,
        },
    ),
    "takedown_case": (
        0.2,
        {
            "id": _id("tkd", "n"),
            "brand_id": _BRAND,
            "state": "'kept'",
            "reason": "'depicted'",
            "contact": "'\\x00'::bytea",
            "message": "NULL",
            "locale": "'en'",
            "token_hash": _DIGEST,
            "decide_by": _MADE,
            "next_at": _one_in(50, _LATER),
            "decided_by": "'key'",
            "decided_at": _MADE,
            "created_at": _MADE,
        },
    ),
    "reveal": (
        0.5,
        {
            "id": _id("rvl", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "subject": "'account'",
            "record_id": _ACCOUNT,
            "actor": "'key_' || n % 50",
            "reason": "'to_answer'",
            "created_at": "(:now - (n % 100000) * interval '5 minutes')",
        },
    ),
    "takedown_picture": (
        0.2,
        {
            "id": f"{_id('tkd', 'n')} || '.' || n",
            "brand_id": _BRAND,
            "case_id": _id("tkd", "n"),
            "account_id": _ACCOUNT,
            "dataset": "'figurines'",
            "record_id": _id("fig", "n"),
            "outcome": "'kept'",
            "appeal": "NULL",
            "appealed_at": "NULL",
            "created_at": _MADE,
        },
    ),
    "support_question": (
        0.2,
        {
            "id": _id("sup", "n"),
            "brand_id": _BRAND,
            "account_id": _one_in(2, _ACCOUNT),
            "state": _one_in(50, "'open'", "'closed'"),
            "category": "'other'",
            "contact": "NULL",
            "subject": "'\\x00'::bytea",
            "locale": "'en'",
            "token_hash": "NULL",
            "attachments": "n % 2",
            "closes_at": _one_in(50, _LATER),
            "closed_at": _one_in(50, "NULL", _MADE),
            "created_at": _MADE,
        },
    ),
    "support_entry": (
        0.4,
        {
            "id": _id("sen", "n"),
            "brand_id": _BRAND,
            "question_id": _id("sup", "n / 2"),
            "number": "n % 2",
            "action": "'asked'",
            "actor": "'asker'",
            "text": "'\\x00'::bytea",
            "created_at": _MADE,
        },
    ),
    "support_attachment": (
        0.1,
        {
            "id": _id("sat", "n"),
            "brand_id": _BRAND,
            "question_id": _id("sup", "n * 2 + 1"),
            "media_type": "'image/jpeg'",
            "size_bytes": "400000",
            "sha256": _DIGEST,
            "created_at": _MADE,
        },
    ),
    "usage_event": (
        2,
        {
            "id": _id("use", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "kind": "'ordered'",
            "style": "'chibi'",
            "page": "''",
            "level": "''",
            "browser": "'firefox'",
            "system": "'linux'",
            "network": "'198.51.100.0/24'",
            "created_at": "(:now - (n % 100000) * interval '5 minutes')",
        },
    ),
    "usage_week": (
        0.5,
        {
            "id": f"{_BRAND} || '.' || n",
            "brand_id": _BRAND,
            "week": "'w' || lpad(n::text, 8, '0')",
            "ends_at": "(:now + n * interval '1 hour')",
            "counted_at": ":now",
            "folded_at": _one_in(10, "NULL", ":now"),
        },
    ),
    "usage_cell": (
        1,
        {
            "id": f"{_BRAND} || '.2020-01-06.' || lpad(n::text, 5, '0')",
            "brand_id": _BRAND,
            "week": "'w' || lpad((n / 40)::text, 8, '0')",
            "kind": "'ordered'",
            "style": "'chibi'",
            "page": "''",
            "level": "''",
            "browser": "'firefox'",
            "system": "'linux'",
            "accounts": "60",
            "events": "90",
        },
    ),
    "upload": (
        1,
        {
            "id": _id("upl", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "state": "'ready'",
            "media_type": "'image/jpeg'",
            "width": "2048",
            "height": "1365",
            "size_bytes": "400000",
            "sha256": _DIGEST,
            "statement_digest": "'sha256:statement'",
            "created_at": _MADE,
            "saved_at": "NULL",
        },
    ),
    "generation": (
        1,
        {
            "id": _id("gen", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "state": _one_in(10, "'queued'", "'succeeded'"),
            "reason": "NULL",
            "style": "'chibi'",
            "style_version": "1",
            "variables": "'{}'",
            "aspect_ratio": "'1:1'",
            "picture_count": "1",
            "subject_count": "1",
            "parent_id": "NULL",
            "models": """'["scripted/scripted-1"]'""",
            "model_index": "0",
            "credits_each": "1",
            "credits_captured": "1",
            "retries": "0",
            "reserved_micros": "0",
            "reserved_day": "'2026-01-01'",
            "currency": "'USD'",
            "policy_digest": "'sha256:policy'",
            "created_at": _MADE,
            "started_at": _MADE,
            "finished_at": f"CASE WHEN n % 10 = 0 THEN NULL ELSE {_MADE} END",
            "expires_at": _LATER,
        },
    ),
    "generation_input": (
        1,
        {
            "id": f"{_id('gen', _JOB)} || '.0'",
            "brand_id": _BRAND,
            "generation_id": _id("gen", _JOB),
            "position": "0",
            "role": "'subject'",
            "upload_id": _id("upl", _JOB),
            "figurine_id": "NULL",
        },
    ),
    "attempt": (
        1,
        {
            "id": _id("att", "n"),
            "brand_id": _BRAND,
            "generation_id": _id("gen", _JOB),
            "number": "1",
            "provider": "'scripted'",
            "model": "'scripted-1'",
            "state": "'finished'",
            "handle": "NULL",
            "outcome": "'succeeded'",
            "reason": "NULL",
            "input_tokens": "NULL",
            "output_tokens": "1290",
            "reserved_micros": "40000",
            "cost_micros": "40000",
            "currency": "'USD'",
            "started_at": _MADE,
            "finished_at": _MADE,
        },
    ),
    "figurine": (
        1,
        {
            "id": _id("fig", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "generation_id": _id("gen", _JOB),
            "attempt_id": _id("att", _JOB),
            "position": "0",
            "state": "'ready'",
            "media_type": "'image/png'",
            "width": "1024",
            "height": "1024",
            "size_bytes": "900000",
            "sha256": _DIGEST,
            "created_at": _MADE,
        },
    ),
    "generation_event": (
        3,
        {
            "id": _id("evt", "n"),
            "brand_id": _BRAND,
            "generation_id": _id("gen", _JOB),
            "seq": "1 + n / :jobs",
            "type": "'generation.queued'",
            "data": """'{"state":"queued"}'""",
            "created_at": _MADE,
        },
    ),
    "deadline": (
        4 + 1 / _JOBS_OF_AN_ACCOUNT,
        {
            "id": _id("ddl", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "dataset": "CASE n / :jobs WHEN 4 THEN 'accounts' WHEN 3 THEN 'figurines' ELSE 'uploads' END",
            "record_id": f"CASE n / :jobs WHEN 4 THEN {_id('acc', _JOB)} WHEN 3 THEN {_id('fig', _JOB)}"
            f" ELSE {_id('upl', _JOB)} END",
            "rule": "'rule.' || n / :jobs",
            "policy_digest": "'sha256:policy'",
            "state": "CASE n / :jobs WHEN 0 THEN 'verified' WHEN 1 THEN 'superseded' ELSE 'scheduled' END",
            "due_at": f"CASE WHEN n / :jobs > 2 THEN NULL ELSE {_LATER} END",
            "attempts": "0",
            "intent_at": "NULL",
            "erased_at": "NULL",
            "outcomes": "NULL",
            "trace_parent": "NULL",
            "created_at": _MADE,
            "updated_at": _MADE,
        },
    ),
    "receipt": (
        1,
        {
            "id": _id("rcp", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "record_id": _id("upl", _JOB),
            "salt": "'\\x00'::bytea",
            "deadline_id": _id("ddl", "n"),
            "body": "'{}'",
            "entry": "n",
            "created_at": _MADE,
        },
    ),
    "credit_lot": (
        0.2,
        {
            "id": _id("lot", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "kind": "'granted'",
            "amount": "1",
            "remaining": "n % 2",
            "created_at": _MADE,
            "expires_at": _LATER,
        },
    ),
    "credit_hold": (
        1,
        {
            "id": _id("hld", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "reference": _id("gen", _JOB),
            "amount": "1",
            "captured": "1",
            "state": "'captured'",
            "created_at": _MADE,
            "closed_at": _MADE,
        },
    ),
    "credit_hold_lot": (
        1,
        {"id": _id("prt", "n"), "hold_id": _id("hld", "n"), "lot_id": _id("lot", "n / 5"), "amount": "1"},
    ),
    "ledger_transfer": (
        2,
        {
            "id": _id("trf", "n"),
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "transfer_key": f"CASE n / :jobs WHEN 0 THEN 'hold:' ELSE 'capture:' END || {_id('gen', _JOB)}",
            "kind": "CASE n / :jobs WHEN 0 THEN 'held' ELSE 'captured' END",
            "amount": "1",
            "reference": _id("gen", _JOB),
            "actor": "'system'",
            "created_at": _MADE,
        },
    ),
    "ledger_entry": (
        4,
        {
            "id": _id("ent", "n"),
            "brand_id": _BRAND,
            "transfer_id": _id("trf", "n / 2"),
            "ledger_account": f"CASE n % 2 WHEN 0 THEN 'wallet:' || {_ACCOUNT} ELSE 'captured' END",
            "amount": "CASE n % 2 WHEN 0 THEN -1 ELSE 1 END",
        },
    ),
    "work_item": (
        0.5,
        {
            "id": _id("wrk", "n"),
            "queue": "CASE n % 3 WHEN 0 THEN 'interactive' WHEN 1 THEN 'background' ELSE 'enforcement' END",
            "actor": "'generate'",
            "subject_id": _id("gen", "n"),
            "due_at": _LATER,
            "sent_at": "NULL",
            "attempts": "0",
            "lease": _one_in(20, "'lse_filling'"),
            "held_by": _one_in(20, "'prc_filling'"),
            "trace_parent": "NULL",
            "created_at": _MADE,
        },
    ),
    "finding": (
        0.2,
        {
            "id": _id("fnd", "n"),
            "brand_id": _one_in(10, "NULL", _BRAND),
            "code": "'model_not_found'",
            "subject": _id("gen", "n"),
            "detail": "''",
            "occurrences": "1",
            "first_at": _MADE,
            "last_at": _MADE,
            "resolved_at": _one_in(50, "NULL", ":now"),
        },
    ),
    "legal_hold": (
        0.1,
        {
            "id": _id("hld", "n"),
            "brand_id": _BRAND,
            "subject": _id("gen", "n"),
            "reason": "'dispute'",
            "reference": "''",
            "placed_by": "'console'",
            "placed_at": _MADE,
            "lifted_by": _one_in(50, "NULL", "'console'"),
            "lifted_at": _one_in(50, "NULL", ":now"),
        },
    ),
    "enforcement_plan": (
        0.1,
        {
            "id": _id("pln", "n"),
            "brand_id": "'brd_' || n",
            "policy_digest": _DIGEST,
            "state": "'applied'",
            "forecast": "'[]'",
            "created_by": "'operator'",
            "created_at": _MADE,
            "approved_by": "'operator'",
            "approved_at": _MADE,
            "moved": "0",
            "last_id": "''",
            "ended_at": _MADE,
        },
    ),
    "idempotency_key": (
        1,
        {
            "id": _DIGEST,
            "brand_id": _BRAND,
            "principal": _ACCOUNT,
            "fingerprint": _DIGEST,
            "status": "202",
            "resource_id": _id("gen", _JOB),
            "lease_until": "NULL",
            "created_at": "(:now - (n % 80000) * interval '1 second')",
        },
    ),
    "stream_ticket": (
        1,
        {
            "token_hash": _DIGEST,
            "brand_id": _BRAND,
            "account_id": _ACCOUNT,
            "generation_id": _id("gen", _JOB),
            "created_at": ":now",
            "expires_at": "(:now + interval '1 minute')",
        },
    ),
    "cost_day": (
        0.05,
        {
            "id": "(:brands)[1 + n % array_length(:brands, 1)] || ':' || ('2000-01-01'::date + n::int)",
            "brand_id": "(:brands)[1 + n % array_length(:brands, 1)]",
            "day": "('2000-01-01'::date + n::int)::text",
            "currency": "'USD'",
            "reserved_micros": "0",
            "spent_micros": "0",
            "warned_percent": "0",
        },
    ),
}
TABLES = tuple(_TABLES)
_ENTRY = b"{}"


def rows_of(table: str, jobs: int) -> int:
    """How many rows a table gets for so many jobs."""
    return int(_TABLES[table][0] * jobs)


async def fill(
    connection: asyncpg.Connection, *, jobs: int, brands: Sequence[str], now: datetime, tables: Sequence[str] = TABLES
) -> None:
    """Fill tables, and let a process hold the work that is in somebody's hands."""
    for table in tables:
        statement = _statement(table, jobs, brands, now)
        await connection.execute(statement, timeout=None)
    if "work_item" in tables:
        await connection.execute(
            "INSERT INTO process (id, role, host, started_at, alive_until) VALUES ('prc_filling', 'worker', 'elsewhere',"
            " $1::timestamptz, $1::timestamptz + interval '1 year')",
            now,
        )


async def fill_evidence(connection: asyncpg.Connection, *, entries: int, now: datetime) -> None:
    """Fill the evidence log. It holds together, so that it can be grown and proofs can be made; its entries say nothing."""
    key = Ed25519PrivateKey.generate()
    public_key = key.public_key().public_bytes_raw()
    growth = grow(0, {}, (leaf_hash(_ENTRY) for _ in range(entries)))
    head = sign_head(key, log=key_id(public_key), size=growth.size, root=growth.root, at=now)
    await connection.copy_records_to_table(
        "evidence_entry", columns=("sequence", "body"), records=((n, _ENTRY.decode()) for n in range(entries))
    )
    await connection.copy_records_to_table(
        "evidence_tile",
        columns=("id", "level", "number", "hashes"),
        records=(
            (f"{place.level}/{place.number}", place.level, place.number, tile) for place, tile in growth.tiles.items()
        ),
    )
    await connection.execute(
        "INSERT INTO evidence_head (size, log, root, at, public_key, signature) VALUES ($1, $2, $3, $4, $5, $6)",
        *(head.size, head.log, head.root.hex(), head.at, public_key.hex(), head.signature.hex()),
    )


async def fill_journal(connection: asyncpg.Connection, *, streams: int, now: datetime) -> None:
    """Fill what the database knows of the erasure journal: processes that came and went, and notes that are not late yet."""
    await connection.execute(
        "INSERT INTO journal_mark (id, upto, at, destroyed, destroyed_at) SELECT 'jst_' || lpad(n::text, 26, '0'), 3,"
        " $1::timestamptz - n * interval '2 minutes', CASE WHEN n % 50 = 0 THEN 'acc_' || lpad(n::text, 26, '0') END,"
        " CASE WHEN n % 50 = 0 THEN $1::timestamptz - n * interval '2 minutes' END FROM generate_series(1, $2::int) n",
        *(now, streams),
    )
    await connection.execute(
        "INSERT INTO journal_note (id, body, created_at) SELECT 'jnt_' || lpad(n::text, 26, '0'),"
        ' \'{"type":"due","at":"2026-01-01T00:00:00Z","brand_id":"brd_none","dataset":"uploads",\''
        ' || \'"record_id":"upl_none","rule":"upload.asked"}\', $1::timestamptz + n * interval \'1 minute\''
        " FROM generate_series(1, $2::int) n",
        *(now, streams),
    )


def _statement(table: str, jobs: int, brands: Sequence[str], now: datetime) -> str:
    per_job, columns = _TABLES[table]
    rows = int(per_job * jobs)
    values = ", ".join(columns.values())
    for name, value in {
        ":brands": "ARRAY[" + ", ".join(f"'{brand}'" for brand in brands) + "]",
        ":jobs": str(jobs),
        ":accounts": str(max(1, jobs // _JOBS_OF_AN_ACCOUNT)),
        ":rows": str(rows),
        ":now": f"'{now.isoformat()}'::timestamptz",
    }.items():
        values = values.replace(name, value)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM generate_series(0, {rows - 1}) n"
