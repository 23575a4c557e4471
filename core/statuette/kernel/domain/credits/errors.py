"""What can be wrong with a movement of credits."""

from __future__ import annotations

from statuette.errors import Conflict, StatuetteError


class InsufficientCredits(StatuetteError):
    """Attributes `needed` and `available`, both in credits. Final until the account has more."""

    code = "insufficient_credits"
    summary = "There are not enough credits."


class DebtOutstanding(StatuetteError):
    """Credits that were refunded had been spent already. Attribute `debt`, in credits. Final until they are paid."""

    code = "debt_outstanding"
    summary = "Credits are owed, so no new job can begin."


class TransferKeyReused(Conflict):
    """The key names a transfer with other content. Nothing moved."""

    code = "transfer_key_reused"
    summary = "This key was used for another movement of credits."


class HoldClosed(Conflict):
    """The hold was settled already, and differently. Attributes `state` and `captured`."""

    code = "hold_closed"
    summary = "These held credits were settled already, and differently."


class LedgerBroken(StatuetteError):
    """Wallet and lots disagree, which no code path leads to: somebody wrote to the tables. Nothing moved. Final."""

    code = "ledger_broken"
    summary = "The records of these credits contradict each other."
