"""Hands the newest signed head of the log to every anchor. What an anchor does not take is a finding, and is tried again."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from statuette.kernel.db.database import Database
from statuette.kernel.evidence.log import EvidenceLog
from statuette.kernel.work import findings
from statuette.ports.anchor import Anchor, AnchorUnavailable

FINDING = "anchor_failed"
_log = logging.getLogger(__name__)


class Anchoring:
    def __init__(self, database: Database, evidence: EvidenceLog, anchors: Mapping[str, Anchor]) -> None:
        self._database = database
        self._evidence = evidence
        self._anchors = anchors

    async def run(self) -> int:
        """Bring every anchor up to date; returns how many took a head. The scheduler's job."""
        if not self._anchors:
            return 0
        async with self._database.read() as reader:
            head = await self._evidence.head(reader)
            rows = await reader.rows("SELECT name, size FROM evidence_anchor")
        kept = {row["name"]: row["size"] for row in rows}
        taken = 0
        for name, anchor in self._anchors.items():
            if head is None or head.size <= kept.get(name, 0):
                continue
            failure = None
            try:
                await anchor.keep(head)
            except AnchorUnavailable as error:
                failure = error.code
            except Exception as error:  # a plugin's bug must not keep the other anchors waiting
                failure = type(error).__name__
            if failure is not None:
                _log.warning("anchor_failed", extra={"facts": {"anchor": name, "code": failure}})
            async with self._database.transaction() as tx:
                if failure is not None:
                    await findings.raise_finding(tx, code=FINDING, subject=name, detail=failure, brand_id=None)
                    continue
                await tx.execute(
                    "INSERT INTO evidence_anchor (name, size, at) VALUES (:name, :size, :now)"
                    " ON CONFLICT (name) DO UPDATE SET size = :size, at = :now",
                    name=name,
                    size=head.size,
                    now=tx.now,
                )
            taken += 1
        return taken
