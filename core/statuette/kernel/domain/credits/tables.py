"""The double-entry ledger of credits. Transfers and entries are only ever added; wallets keep a running balance."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, whole


class Wallet(Table, tablename="wallet"):
    """An account's balance: what it may spend, what running jobs hold, and what it owes. None is ever negative."""

    account_id = key()
    brand_id = ident()
    available = whole()
    held = whole()
    debt = whole()


class CreditLot(Table, tablename="credit_lot"):
    """Credits that came together and expire together; used earliest expiry first."""

    id = key()
    brand_id = ident()
    account_id = ident()
    kind = ident()
    amount = whole()
    remaining = whole()
    created_at = moment()
    expires_at = optional_moment()


class CreditHold(Table, tablename="credit_hold"):
    """Credits set aside for one job."""

    id = key()
    brand_id = ident()
    account_id = ident()
    reference = ident()
    amount = whole()
    captured = whole()
    state = ident()
    created_at = moment()
    closed_at = optional_moment()


class CreditHoldLot(Table, tablename="credit_hold_lot"):
    """How much of which lot a hold, a repayment, or an adjustment that takes away, took. `hold_id` is the id of either."""

    id = key()
    hold_id = ident()
    lot_id = ident()
    amount = whole()


class LedgerTransfer(Table, tablename="ledger_transfer"):
    """One movement of credits. `transfer_key` makes it happen once; `cause` is the payment or refund behind it."""

    id = key()
    brand_id = ident()
    account_id = ident()
    transfer_key = ident()
    kind = ident()
    amount = whole()
    reference = optional_ident()
    cause = optional_ident()
    actor = ident()
    created_at = moment()


class LedgerEntry(Table, tablename="ledger_entry"):
    """One leg of a transfer; the two legs of a transfer add up to nothing."""

    id = key()
    brand_id = ident()
    transfer_id = ident()
    ledger_account = ident()
    amount = whole()
