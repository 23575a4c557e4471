"""What the database knows of the journal."""

from __future__ import annotations

from piccolo.table import Table

from statuette.kernel.db.columns import ident, key, moment, optional_ident, optional_moment, text, whole


class JournalMark(Table, tablename="journal_mark"):
    """The high-water mark of one process's stream: segments up to `upto` concern what this database knows of.

    `destroyed` is the last subject whose data key went by this stream, at `destroyed_at`.
    """

    id = key()
    upto = whole()
    at = moment()
    destroyed = optional_ident()
    destroyed_at = optional_moment()


class JournalNote(Table, tablename="journal_note"):
    """An entry that was written in the transaction that acted on it, and goes once it is in the journal."""

    id = key()
    body = text()
    created_at = moment()


class Upkeep(Table, tablename="upkeep"):
    """What was last done about the deployment's safety, and when: `backup`, `key_backup`, `restore_drill`."""

    id = key()
    at = moment()
    detail = ident()
