"""The daily audit: the log is verified, safeguards are tried, what is open is counted; the report is signed and kept.

One that is not in order is a finding, until the next one is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from statuette.kernel.db.database import Database, Reader, Transaction
from statuette.kernel.evidence import reports
from statuette.kernel.evidence.report import AuditReport, SignedReport, audit_report
from statuette.kernel.probes import Checked, Probes
from statuette.kernel.work import findings
from statuette.policy.enforcers import enforces

PROBE = "audit_report"
NOT_IN_ORDER = "audit_not_in_order"
FAILED = "audit_failed"
EVERY = timedelta(days=1)
LATE_AFTER = timedelta(days=2)
_SUBJECT = "audit"
_MARK = "audit"


class Auditing:
    """Makes a report a day after the last one, or after the scheduler first ticked.

    Args:
        sign: with the key of the log's heads.
        kept: how long a report is kept.
    """

    def __init__(
        self, database: Database, probes: Probes, sign: Callable[[AuditReport], SignedReport], kept: timedelta
    ) -> None:
        self._database = database
        self._probes = probes
        self._sign = sign
        self._kept = kept

    @enforces("safeguard.audit")
    async def run(self) -> int:
        """Make a report if it is time; returns how many. The scheduler's job."""
        async with self._database.read() as reader:
            last, now = await last_audit(reader), reader.now
            before = await reports.newest(reader)
        if last is None:
            await self._database.run(_begin)  # nothing is there yet that could be audited
            return 0
        if now - last < EVERY:
            return 0
        try:
            report = await audit_report(
                self._database,
                await self._probes.looked(),
                previous=before.digest if before is not None else None,
            )
        except Exception as error:
            name = type(error).__name__
            await self._database.run(
                lambda tx: findings.raise_finding(tx, code=FAILED, subject=_SUBJECT, detail=name, brand_id=None)
            )
            raise
        document = self._sign(report)
        return await self._database.run(lambda tx: self._keep(tx, last, report, document))

    async def _keep(self, tx: Transaction, last: datetime, report: AuditReport, document: SignedReport) -> int:
        if not await tx.changed(
            "UPDATE time_mark SET at = :now WHERE name = :name AND at = :last RETURNING name",
            name=_MARK,
            last=last,
            now=tx.now,
        ):
            return 0  # somebody else ticks by now, and was faster
        await reports.keep(tx, report, document)
        await reports.delete_older(tx, tx.now - self._kept)
        await findings.settle(tx, code=FAILED, subject=_SUBJECT)
        if report.in_order:
            await findings.settle(tx, code=NOT_IN_ORDER, subject=_SUBJECT)
        else:
            detail = " ".join(report.causes)
            await findings.raise_finding(tx, code=NOT_IN_ORDER, subject=_SUBJECT, detail=detail, brand_id=None)
        return 1


class AuditProbe:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> Checked:
        """The last report is not older than two days."""
        async with self._database.read() as reader:
            last, now = await last_audit(reader), reader.now
        if last is None:
            return Checked(PROBE, True, "none yet: the first is made a day after the scheduler first ticked")
        if now - last > LATE_AFTER:
            return Checked(
                PROBE,
                False,
                f"none since {last:%Y-%m-%d %H:%M} UTC",
                "See the finding `audit_failed`, and whether the scheduler ticks.",
            )
        return Checked(PROBE, True, f"{last:%Y-%m-%d %H:%M} UTC")


async def last_audit(reader: Reader) -> datetime | None:
    """When the last report was made, or when there was first a scheduler to make one."""
    at: datetime | None = await reader.value("SELECT at FROM time_mark WHERE name = :name", name=_MARK)
    return at


async def _begin(tx: Transaction) -> None:
    await tx.execute(
        "INSERT INTO time_mark (name, at) VALUES (:name, :now) ON CONFLICT (name) DO NOTHING", name=_MARK, now=tx.now
    )
