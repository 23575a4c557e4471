"""A signed report of what can be audited: the whole log verified, what was enforced by it, and what is open.

The log is copied out in pages to a file first, so that its length costs no memory and no transaction stays open.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from statuette.evidence import Audit, PublicKey, PublicKeys, SignedHead, canonical, key_id, verify_log
from statuette.kernel.db.database import Database, Reader
from statuette.kernel.evidence.log import StoredHead

DOMAIN = b"statuette audit report v1\n"
"""Signed before the report's bytes, so that no signature of something else passes for one of a report."""
_PAGE = 1000


class Enforced(msgspec.Struct, frozen=True):
    rule: str
    receipts: int


class OpenFinding(msgspec.Struct, frozen=True):
    code: str
    subjects: int
    last_at: datetime


class AnchorState(msgspec.Struct, frozen=True):
    """How far an anchor is."""

    name: str
    size: int
    at: datetime


class AuditReport(msgspec.Struct, frozen=True):
    """Attributes:
    log: id of the log; null while it is empty.
    audit: what verifying every entry against every signed head found; null while the log is empty.
    public_keys: hex; those that the heads were signed with. Compare them with keys that you have from elsewhere.
    head: the last signed head.
    enforced: receipts in the log, by rule.
    overdue: deadlines that have passed and are not enforced yet.
    held, stopped: deadlines that a legal hold, or a guard, keeps.
    reconciled_at: when the object store was last compared with the database.
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

    @property
    def in_order(self) -> bool:
        """Whether the log holds and every promise that is due is kept."""
        return (self.audit is None or self.audit.holds) and not self.overdue and not self.stopped


class SignedReport(msgspec.Struct, frozen=True):
    """Attributes:
    report: an `AuditReport` in canonical JSON.
    key: id of the key, as heads name it.
    signature: hex; Ed25519 (RFC 8032) over `DOMAIN` and the bytes of `report`.
    """

    report: msgspec.Raw
    key: str
    signature: str


async def audit_report(database: Database) -> AuditReport:
    """Verify the whole log and say how things stand."""
    with tempfile.TemporaryFile() as entries, tempfile.TemporaryFile() as heads:
        rules, keys = await _copied(database, entries, heads)
        log = PublicKeys(keys=tuple(PublicKey(public_key=bytes.fromhex(key)) for key in keys)) if keys else None
        audit = verify_log(_lines(entries), _heads(heads), log, read_receipts=True) if log is not None else None
        last = next(iter(deque(_heads(heads), maxlen=1)), None)
    async with database.read() as reader:
        states = await _states(reader)
        return AuditReport(
            made_at=reader.now,
            log=last.log if last is not None else None,
            audit=audit,
            public_keys=tuple(keys),
            head=last,
            enforced=tuple(Enforced(rule, count) for rule, count in sorted(rules.items())),
            overdue=await reader.value(
                "SELECT COUNT(*) AS n FROM deadline WHERE state = 'scheduled' AND due_at <= :now", now=reader.now
            ),
            held=states["held"],
            stopped=states["stopped"],
            findings=tuple(
                await reader.all(
                    OpenFinding,
                    "SELECT code, COUNT(*) AS subjects, MAX(last_at) AS last_at FROM finding WHERE resolved_at IS NULL"
                    " GROUP BY code ORDER BY code",
                )
            ),
            anchors=tuple(await reader.all(AnchorState, "SELECT name, size, at FROM evidence_anchor ORDER BY name")),
            reconciled_at=await reader.value("SELECT at FROM time_mark WHERE name = 'reconciliation'"),
        )


def signed(report: AuditReport, seed: bytes) -> SignedReport:
    """With the key that signs heads.

    Args:
        seed: 32 secret bytes, as for `EvidenceLog`.
    """
    private_key = Ed25519PrivateKey.from_private_bytes(seed)
    body = canonical(report)
    signature = private_key.sign(DOMAIN + body)
    return SignedReport(msgspec.Raw(body), key_id(private_key.public_key().public_bytes_raw()), signature.hex())


async def _copied(database: Database, entries: IO[bytes], heads: IO[bytes]) -> tuple[Counter[str], list[str]]:
    """Copy the log up to its newest head; returns the receipts by rule, and the keys of the heads."""
    rules: Counter[str] = Counter()
    keys: dict[str, None] = {}
    covered = after = 0
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
            keys[head.public_key] = None
            heads.write(canonical(head.signed) + b"\n")
        if len(page) < _PAGE:
            covered = page[-1].size if page else after
            break
        after = page[-1].size
    for start in range(0, covered, _PAGE):
        async with database.read() as reader:
            rows = await reader.rows(
                "SELECT body FROM evidence_entry WHERE sequence >= :start AND sequence < :end ORDER BY sequence",
                start=start,
                end=min(start + _PAGE, covered),
            )
        for row in rows:
            rules[msgspec.json.decode(row["body"], type=_Rule).rule] += 1
            entries.write(row["body"].encode() + b"\n")
    return rules, list(keys)


class _Rule(msgspec.Struct, frozen=True):
    rule: str = "unreadable"


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    for line in file:
        yield line[:-1]


def _heads(file: IO[bytes]) -> Iterator[SignedHead]:
    from statuette.evidence import read_head

    for line in _lines(file):
        yield read_head(line)


async def _states(reader: Reader) -> dict[str, Any]:
    """Each by an index of its own."""
    return {
        "held": await reader.value("SELECT COUNT(*) AS n FROM deadline WHERE state = 'held' AND hold_id IS NOT NULL"),
        "stopped": await reader.value("SELECT COUNT(*) AS n FROM deadline WHERE state = 'stopped'"),
    }
