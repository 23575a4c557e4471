"""A signed report of what can be audited: the whole log verified, what was enforced by it, and what is open.

The log is copied out in pages to a file first, so that its length costs no memory and no transaction stays open.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import IO

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from statuette.evidence import Audit, SignedHead, canonical, key_id
from statuette.kernel.db.database import Database
from statuette.kernel.enforcement.heartbeat import SILENT_AFTER, last_beat
from statuette.kernel.evidence.log import StoredHead
from statuette.kernel.evidence.verifying import verified
from statuette.kernel.probes import Checked

DOMAIN = b"statuette audit report v1\n"
"""Signed before the report's bytes, so that no signature of something else passes for one of a report."""
OVERDUE_AFTER = timedelta(minutes=10)
"""A deadline that passed a moment ago is in hand."""
_RECONCILED_WITHIN = timedelta(days=2)
_PAGE = 1000


class Enforced(msgspec.Struct, frozen=True):
    rule: str
    receipts: int


class OpenFinding(msgspec.Struct, frozen=True):
    code: str
    subjects: int
    last_at: datetime


class AnchorState(msgspec.Struct, frozen=True):
    """How far an anchor is: the last head that it has, since when, and the last report."""

    name: str
    size: int
    at: datetime
    report: str | None = None


class Probed(msgspec.Struct, frozen=True):
    """Whether a probe passed. What it saw is not told: it may name a brand or a key."""

    name: str
    ok: bool


class Cause(StrEnum):
    """Why a report is not in order. Stable: programs may match on it."""

    log = "log"
    """An entry or a head of the log does not verify."""
    overdue = "overdue"
    """A deadline passed more than ten minutes ago."""
    stopped = "stopped"
    """A guard keeps a deadline."""
    probes = "probes"
    """A safeguard does not hold."""
    objects = "objects"
    """An object is missing, or one that is nobody's lies where only records' should be."""
    reconciliation = "reconciliation"
    """The object store was not compared with the database for two days."""
    enforcement = "enforcement"
    """Nobody has looked for due deadlines for an hour."""


class AuditReport(msgspec.Struct, frozen=True):
    """Attributes:
    log: id of the log; null while it is empty.
    audit: what verifying every entry against every signed head found; null while the log is empty.
    public_keys: hex; those that the heads were signed with. Compare them with keys that you have from elsewhere.
    head: the last signed head.
    enforced: receipts in the log, by rule.
    overdue: deadlines that passed more than ten minutes ago and are not enforced yet.
    held, stopped: deadlines that a legal hold, or a guard, keeps.
    reconciled_at: when the object store was last compared with the database.
    enforced_at: when due deadlines were last looked for.
    probes: whether each probe passed just now.
    previous: digest of the report that was kept before, so that none can be taken out unnoticed.
    causes: why it is not in order, if it is not.
    """

    made_at: datetime
    log: str | None
    audit: Audit | None
    public_keys: tuple[str, ...]
    head: SignedHead | None
    enforced: tuple[Enforced, ...]
    overdue: int
    held: int
    stopped: int
    findings: tuple[OpenFinding, ...]
    anchors: tuple[AnchorState, ...]
    reconciled_at: datetime | None
    enforced_at: datetime | None = None
    probes: tuple[Probed, ...] = ()
    previous: str | None = None
    causes: tuple[Cause, ...] = ()

    @property
    def in_order(self) -> bool:
        """Whether the log holds, every promise that is due is kept, and every safeguard holds."""
        return not self.causes


class SignedReport(msgspec.Struct, frozen=True):
    """Attributes:
    report: an `AuditReport` in canonical JSON.
    key: id of the key, as heads name it.
    signature: hex; Ed25519 (RFC 8032) over `DOMAIN` and the bytes of `report`.
    """

    report: msgspec.Raw
    key: str
    signature: str


async def audit_report(
    database: Database, probed: Sequence[Checked] = (), *, previous: str | None = None
) -> AuditReport:
    """Verify the whole log and say how things stand.

    Args:
        probed: what the probes saw just now.
        previous: digest of the last report that is kept.

    Raises:
        LogNotVerified.
    """
    with tempfile.TemporaryFile() as entries, tempfile.TemporaryFile() as heads:
        copied = await _copied(database, entries, heads)
        audit = await verified(entries, heads, copied.keys) if copied.keys else None
    async with database.read() as reader:
        found = AuditReport(
            made_at=reader.now,
            log=copied.last.log if copied.last is not None else None,
            audit=audit,
            public_keys=tuple(copied.keys),
            head=copied.last,
            enforced=tuple(Enforced(rule, count) for rule, count in sorted(copied.rules.items())),
            overdue=await reader.value(
                "SELECT COUNT(*) AS n FROM deadline WHERE state = 'scheduled' AND due_at <= :late",
                late=reader.now - OVERDUE_AFTER,
            ),
            held=await reader.value("SELECT COUNT(*) AS n FROM deadline WHERE state = 'held' AND hold_id IS NOT NULL"),
            stopped=await reader.value("SELECT COUNT(*) AS n FROM deadline WHERE state = 'stopped'"),
            findings=tuple(
                await reader.all(
                    OpenFinding,
                    "SELECT code, COUNT(*) AS subjects, MAX(last_at) AS last_at FROM finding WHERE resolved_at IS NULL"
                    " GROUP BY code ORDER BY code",
                )
            ),
            anchors=tuple(
                await reader.all(AnchorState, "SELECT name, size, at, report FROM evidence_anchor ORDER BY name")
            ),
            reconciled_at=await reader.value("SELECT at FROM time_mark WHERE name = 'reconciliation'"),
            enforced_at=await last_beat(reader),
            probes=tuple(Probed(each.name, each.ok) for each in probed),
            previous=previous,
        )
    return msgspec.structs.replace(found, causes=causes(found))


def causes(report: AuditReport) -> tuple[Cause, ...]:
    """What is not in order, by what else the report says."""
    open_findings = {each.code for each in report.findings}
    reconciled, enforced, now = report.reconciled_at, report.enforced_at, report.made_at
    holds = {
        Cause.log: report.audit is not None and not report.audit.holds,
        Cause.overdue: report.overdue > 0,
        Cause.stopped: report.stopped > 0,
        Cause.probes: not all(each.ok for each in report.probes),
        Cause.objects: bool(open_findings & {"object_missing", "unknown_object"}),
        Cause.reconciliation: reconciled is not None and now - reconciled > _RECONCILED_WITHIN,
        Cause.enforcement: enforced is not None and now - enforced >= SILENT_AFTER,
    }
    return tuple(cause for cause, given in holds.items() if given)


def signed(report: AuditReport, seed: bytes) -> SignedReport:
    """With the key that signs heads.

    Args:
        seed: 32 secret bytes, as for `EvidenceLog`.
    """
    private_key = Ed25519PrivateKey.from_private_bytes(seed)
    body = canonical(report)
    signature = private_key.sign(DOMAIN + body)
    return SignedReport(msgspec.Raw(body), key_id(private_key.public_key().public_bytes_raw()), signature.hex())


class _Copied(msgspec.Struct):
    """What was seen while the log was copied: receipts by rule, the keys of the heads in hex, and the last head."""

    rules: Counter[str]
    keys: list[str]
    last: SignedHead | None


async def _copied(database: Database, entries: IO[bytes], heads: IO[bytes]) -> _Copied:
    """Copy the log up to its newest head."""
    copied = _Copied(Counter(), [], None)
    after = 0
    while True:
        async with database.read() as reader:
            page = await reader.all(
                StoredHead,
                "SELECT size, log, root, at, public_key, signature FROM evidence_head WHERE size > :after"
                " ORDER BY size LIMIT :limit",
                after=after,
                limit=_PAGE,
            )
        for head in page:
            if head.public_key not in copied.keys:
                copied.keys.append(head.public_key)
            copied.last, after = head.signed, head.size
            heads.write(canonical(copied.last) + b"\n")
        if len(page) < _PAGE:
            break
    for start in range(0, after, _PAGE):
        async with database.read() as reader:
            rows = await reader.rows(
                "SELECT body FROM evidence_entry WHERE sequence >= :start AND sequence < :end ORDER BY sequence",
                start=start,
                end=min(start + _PAGE, after),
            )
        for row in rows:
            copied.rules[msgspec.json.decode(row["body"], type=_Rule).rule] += 1
            entries.write(row["body"].encode() + b"\n")
    return copied


class _Rule(msgspec.Struct, frozen=True):
    rule: str = "unreadable"
