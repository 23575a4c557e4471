"""The anchor port: where signed heads of the evidence log are kept out of the operator's own reach.

A log proves that it only grew to whoever knows an earlier head. An operator who keeps all heads beside the log could write both
anew; one who hands each head to somebody else, to another machine or to a store that locks what it holds, cannot.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

import msgspec

from statuette.errors import Unavailable
from statuette.evidence import SignedHead


class AnchorUnavailable(Unavailable):
    """The anchor did not take the head; nothing is known about it. Retryable."""

    code = "anchor_unavailable"
    summary = "The anchor of the evidence log is not available."


class ReportDigest(msgspec.Struct, frozen=True):
    """What is kept elsewhere of a daily audit report. The report names the digest of the one before, so the newest stands for all.

    Attributes:
        id: of the report.
        digest: `sha256:` and the SHA-256 of the report's file, hex.
    """

    id: str
    made_at: datetime
    digest: str


class Anchor(ABC):
    """Somewhere to keep heads. Called by the scheduler, one head at a time, each larger than the one before."""

    name: str

    @abstractmethod
    async def keep(self, head: SignedHead) -> None:
        """Keep a head durably. The same head may come again, after a crash. Raises `AnchorUnavailable`."""

    async def keep_report(self, report: ReportDigest) -> None:
        """Keep the digest of an audit report durably. The same may come again, after a crash. Raises `AnchorUnavailable`.

        An anchor that does nothing here keeps heads alone.
        """

    async def aclose(self) -> None:
        """Release clients. Called once, at shutdown; idempotent."""
