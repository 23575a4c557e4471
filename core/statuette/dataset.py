"""A dataset says, once, everything the rest must know about a kind of data.

It is declared beside the tables it describes and registered by the `datasets` hook. Enforcement, people's rights, the
data map and the architecture tests walk datasets; nobody keeps a second list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from statuette.evidence import Residual, StoreOutcome
from statuette.policy.rules import Trigger


class Transaction(Protocol):
    """The open database transaction a dataset works in. SQL takes named parameters (`:id`), on every engine."""

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run one statement and return its rows."""
        ...

    async def execute(self, sql: str, **parameters: Any) -> None:
        """Run one statement that returns nothing."""
        ...


class Shared(msgspec.Struct, frozen=True):
    """What of a record was given to a provider.

    Attributes:
        provider: its name.
        categories: of the policy's catalogue.
        at: the last time.
    """

    provider: str
    categories: tuple[str, ...]
    at: datetime


class Closure(msgspec.Struct, frozen=True):
    """Everything outside the database that belongs to one record.

    Attributes:
        prefixes: object-store prefixes ending in `/`, each of this record alone and of at most 120 characters; everything
            below them goes, versions and parts included.
        keys: subjects whose data keys go with it, before its rows: what is left of them, in backups too, is unreadable then.
        shared: what was given to providers. Nobody can delete it there; the receipt says what they keep.
        being_written: whether somebody may still be about to store objects there. Then they are emptied again a while later.
        stores: what was destroyed of it before and apart from this; its receipt tells that, too.
        residuals: what processors keep of that.
    """

    prefixes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    shared: tuple[Shared, ...] = ()
    being_written: bool = False
    stores: tuple[StoreOutcome, ...] = ()
    residuals: tuple[Residual, ...] = ()


class TableColumns(msgspec.Struct, frozen=True):
    """One table and the category of each of its columns."""

    table: str
    columns: dict[str, str]


class CacheKeys(msgspec.Struct, frozen=True):
    """Keys in Redis that belong together.

    Attributes:
        pattern: without the deployment's namespace, `*` for what varies: `limits:*`.
        category: of the policy's catalogue.
        lasts: the longest that one is there after it was last written.
    """

    pattern: str
    category: str
    lasts: timedelta


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


Aliases = Callable[[Transaction, str], Awaitable[tuple[str, ...]]]
Stored = Callable[[Transaction, str, str, int], Awaitable[list[str]]]


class File(msgspec.Struct, frozen=True):
    """An object that is part of a person's copy of their data.

    Attributes:
        name: in the copy, for instance `figurines/fig_….png`.
    """

    record_id: str
    key: str
    name: str


Files = Callable[[Transaction, str, str, int], Awaitable[list[File]]]
EraseOfAccount = Callable[[Transaction, str, str, int], Awaitable[int]]
"""Takes an account's id, a pseudonym for it, and how many records at most. Returns how many it dealt with; 0: none is left."""


class OfAccount(msgspec.Struct, frozen=True):
    """How the records of an account are found, and how they go when the account does.

    Attributes:
        table: where they are.
        column: the one with the account's id.
        rule: the rule whose deadline each of them carries; it is armed when the account is to go, and enforced as ever.
        erase: deletes records that carry none, or puts the pseudonym in the id's place where a law demands that they are kept.
    """

    table: str
    column: str = "account_id"
    rule: str | None = None
    erase: EraseOfAccount | None = None


class Dataset(msgspec.Struct, frozen=True):
    """A kind of data.

    Attributes:
        name: `uploads`; what rules refer to.
        title: what a person would call it.
        tables: every table of the dataset, every column classified by a category id of the policy catalogue.
        object_prefixes: templates of the object keys it owns, for example `uploads/{brand}/{id}/`.
        ended_by: ids of the rules that end a record, at least one when any column is personal.
        arms: triggers with which any rule about the dataset is armed, whichever pack it comes from; all others need code that
            knows the rule, and stand in `ended_by`.
        cache_keys: what of it is in a store that forgets by itself.
        handler: the functions above.
        aliases: gives, for a record, the ids of what it hangs on beside its account, such as the jobs that used it. A legal
            hold on one of these holds the record.
        stored: gives, for a brand and an id, the next ids in order, at most so many, of records whose objects are stored whole.
            With it the object store is compared with the database; keys are `<dataset>/<brand>/<id>/<name>`.
        files: gives, for an account and an id, the next objects of its copy by record in order, at most so many.
        of_account: how records go together with their account; None where they are of nobody, or go in the account's own step.
    """

    name: str
    title: str
    tables: tuple[TableColumns, ...]
    handler: DatasetHandler
    object_prefixes: tuple[str, ...] = ()
    ended_by: tuple[str, ...] = ()
    arms: tuple[Trigger, ...] = ()
    cache_keys: tuple[CacheKeys, ...] = ()
    aliases: Aliases | None = None
    stored: Stored | None = None
    files: Files | None = None
    of_account: OfAccount | None = None

    def categories(self) -> Sequence[str]:
        return sorted({category for table in self.tables for category in table.columns.values()})
