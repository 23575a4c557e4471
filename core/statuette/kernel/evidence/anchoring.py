"""Hands the newest signed head of the log, and the digest of the newest audit report, to every anchor.

What an anchor does not take is a finding, and is tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping

import msgspec

from statuette.kernel.db.database import Database
from statuette.kernel.evidence import reports
from statuette.kernel.evidence.log import EvidenceLog
from statuette.kernel.work import findings
from statuette.ports.anchor import Anchor, AnchorUnavailable, ReportDigest

FINDING = "anchor_failed"
_log = logging.getLogger(__name__)
_SET_HEAD = (
    "INSERT INTO evidence_anchor (name, size, at) VALUES (:name, :value, :now)"
    " ON CONFLICT (name) DO UPDATE SET size = :value, at = :now"
)
_SET_REPORT = (
    "INSERT INTO evidence_anchor (name, size, at, report) VALUES (:name, 0, :now, :value)"
    " ON CONFLICT (name) DO UPDATE SET report = :value"
)


class _Has(msgspec.Struct, frozen=True):
    """What an anchor has."""

    name: str
    size: int
    report: str | None


class Anchoring:
    def __init__(self, database: Database, evidence: EvidenceLog, anchors: Mapping[str, Anchor]) -> None:
        self._database = database
        self._evidence = evidence
        self._anchors = anchors

    async def run(self) -> int:
        """Bring every anchor up to date; returns how many heads and digests were taken. The scheduler's job."""
        if not self._anchors:
            return 0
        async with self._database.read() as reader:
            head = await self._evidence.head(reader)
            report = await reports.newest(reader)
            rows = await reader.all(_Has, "SELECT name, size, report FROM evidence_anchor")
        kept, taken = {row.name: row for row in rows}, 0
        for name, anchor in self._anchors.items():
            has = kept.get(name, _Has(name, 0, None))
            if head is not None and head.size > has.size:
                taken += await self._handed(name, anchor.keep(head), _SET_HEAD, head.size)
            if report is not None and report.id > (has.report or ""):
                digest = ReportDigest(report.id, report.made_at, report.digest)
                taken += await self._handed(name, anchor.keep_report(digest), _SET_REPORT, report.id)
        return taken

    async def _handed(self, name: str, keeping: Awaitable[None], noted: str, value: int | str) -> int:
        failure = None
        try:
            await keeping
        except AnchorUnavailable as error:
            failure = error.code
        except Exception as error:  # a plugin's bug must not keep the other anchors waiting
            failure = type(error).__name__
        if failure is not None:
            _log.warning("anchor_failed", extra={"facts": {"anchor": name, "code": failure}})
        async with self._database.transaction() as tx:
            if failure is not None:
                await findings.raise_finding(tx, code=FINDING, subject=name, detail=failure, brand_id=None)
                return 0
            await tx.execute(noted, name=name, value=value, now=tx.now)
        return 1
