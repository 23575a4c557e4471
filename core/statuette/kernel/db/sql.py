"""Named parameters for both engines.

Repositories write `:name`; SQLite takes it as it is, PostgreSQL wants `$1`. The translation of a statement is kept, so
it costs one dictionary look-up.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_NAMED = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=2048)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """`sql` with `$n` places, and the parameter names in their order. A name used twice is one place."""
    names: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        return f"${names.setdefault(match.group(1), len(names) + 1)}"

    return _NAMED.sub(place, sql), tuple(names)


@lru_cache(maxsize=512)
def insert_statement(table: str, columns: tuple[str, ...], ignore_conflicts: bool) -> str:
    places = ", ".join(f":{column}" for column in columns)
    ending = " ON CONFLICT DO NOTHING RETURNING 1 AS inserted" if ignore_conflicts else ""
    return f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({places}){ending}'


def columns_of(row: type[msgspec.Struct]) -> str:
    """The columns that a struct is made of. Never `*`: a statement stays what it is when a newer version adds a column."""
    return ", ".join(row.__struct_fields__)
