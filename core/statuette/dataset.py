"""A dataset says, once, everything the rest must know about a kind of data.

It is declared beside the tables it describes and registered by the `datasets` hook. Enforcement, people's rights, the
data map and the architecture tests walk datasets; nobody keeps a second list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec


class Transaction(Protocol):
    """The open database transaction a dataset works in. SQL takes named parameters (`:id`), on every engine."""

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement and return its rows."""
        ...

    async def execute(self, sql: str, **parameters: Any) -> None:
        """Run one statement that returns nothing."""
        ...


class Closure(msgspec.Struct, frozen=True):
    """Everything outside the database that belongs to one record.

    Attributes:
        prefixes: object-store prefixes ending in `/`, each of this record alone and of at most 120 characters; everything
            below them goes, versions and parts included.
        being_written: whether somebody may still be about to store objects there. Then they are emptied again a while later.
    """

    prefixes: tuple[str, ...] = ()
    being_written: bool = False


class TableColumns(msgspec.Struct, frozen=True):
    """One table and the category of each of its columns."""

    table: str
    columns: dict[str, str]


class DatasetHandler(Protocol):
    """What enforcement and people's rights ask of a dataset. Every method works inside the transaction it is given."""

    async def closure(self, tx: Transaction, record_id: str) -> Closure | None:
        """What hangs on the record outside the database; None when the record is gone."""
        ...

    async def settle(self, tx: Transaction, record_id: str, now: datetime) -> bool:
        """Make the record ready to be erased (cancel what still uses it). False: not yet, ask again soon. Idempotent."""
        ...

    async def erase(self, tx: Transaction, record_id: str) -> None:
        """Delete the record's rows, derived rows included. Idempotent."""
        ...

    async def sweep(self, tx: Transaction, older_than: datetime, limit: int) -> int:
        """Delete at most `limit` rows of a stream that are older; returns how many. Datasets with deadlines return 0."""
        ...

    async def export(self, tx: Transaction, account_id: str) -> list[dict[str, Any]]:
        """The account's records in machine-readable form."""
        ...


class Dataset(msgspec.Struct, frozen=True):
    """A kind of data.

    Attributes:
        name: `uploads`; what rules refer to.
        title: what a person would call it.
        tables: every table of the dataset, every column classified by a category id of the policy catalogue.
        object_prefixes: templates of the object keys it owns, for example `uploads/{brand}/{id}/`.
        ended_by: ids of the rules that end a record, at least one when any column is personal.
        handler: the functions above.
    """

    name: str
    title: str
    tables: tuple[TableColumns, ...]
    handler: DatasetHandler
    object_prefixes: tuple[str, ...] = ()
    ended_by: tuple[str, ...] = ()

    def categories(self) -> Sequence[str]:
        return sorted({category for table in self.tables for category in table.columns.values()})
