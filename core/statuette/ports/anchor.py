"""The anchor port: where signed heads of the evidence log are kept out of the operator's own reach.

A log proves that it only grew to whoever knows an earlier head. An operator who keeps all heads beside the log could write both
anew; one who hands each head to somebody else, to another machine or to a store that locks what it holds, cannot.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from statuette.errors import Unavailable
from statuette.evidence import SignedHead


class AnchorUnavailable(Unavailable):
    """The anchor did not take the head; nothing is known about it. Retryable."""

    code = "anchor_unavailable"
    summary = "The anchor of the evidence log is not available."


class Anchor(ABC):
    """Somewhere to keep heads. Called by the scheduler, one head at a time, each larger than the one before."""

    name: str

    @abstractmethod
    async def keep(self, head: SignedHead) -> None:
        """Keep a head durably. The same head may come again, after a crash. Raises `AnchorUnavailable`."""

    async def aclose(self) -> None:
        """Release clients. Called once, at shutdown; idempotent."""
