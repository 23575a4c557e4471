"""The evidence log, and the receipts that are to go into it."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import (
    ident,
    key,
    moment,
    octets,
    optional_ident,
    optional_octets,
    optional_whole,
    position,
    small,
    text,
    whole,
)


class Receipt(Table, tablename="receipt"):
    """What its holder keeps of one enforcement. `salt`, `record_id` and `account_id` open the commitments in `body`.

    Whoever erases an account takes them out; then nobody can tell any more whom an entry of the log is about.
    `entry` is empty until the receipt is in the log. `holder` is a hash of the text that opens the receipt of an erased account.
    """

    id = key()
    brand_id = ident()
    account_id = optional_ident()
    record_id = optional_ident()
    salt = optional_octets()
    deadline_id = ident()
    body = text()
    entry = optional_whole()
    created_at = moment()
    holder = optional_ident()


class ReceiptHolder(Table, tablename="receipt_holder"):
    """Who will hold the receipt of an account's erasure: somebody with a text of which a hash is here.

    The salt is made of that text, and the commitments are made while it is known, so that nothing here opens them.
    """

    account_id = key()
    brand_id = ident()
    holder = ident()
    subject = ident()
    account = ident()
    created_at = moment()


class EvidenceEntry(Table, tablename="evidence_entry"):
    """One entry of the log. Rows are only ever added."""

    sequence = position()
    body = text()


class EvidenceTile(Table, tablename="evidence_tile"):
    """Up to 256 neighbouring hashes of one level of the tree; `id` is `level/number`. A tile only grows."""

    id = key()
    level = small()
    number = whole()
    hashes = octets()


class EvidenceHead(Table, tablename="evidence_head"):
    """A signed head: what the log was at that moment. Hashes, keys and signatures are hex."""

    size = position()
    log = ident()
    root = ident()
    at = moment()
    public_key = ident()
    signature = text()


class EvidenceAnchor(Table, tablename="evidence_anchor"):
    """How far an anchor is: the size of the last head that it took, and the id of the last report."""

    name = key()
    size = whole()
    at = moment()
    report = optional_ident()


class StoredReport(Table, tablename="audit_report"):
    """A daily audit report. `body` is the signed text, `digest` its SHA-256; `causes` is empty if it is in order."""

    id = key()
    made_at = moment()
    causes = ident()
    entries = whole()
    digest = ident()
    body = text()
