"""Looks for something in everything that a deployment keeps: every table, every object, every key of Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis.asyncio as redis

from statuette.kernel.db.schema import tables
from tests.site import Site

# The erasure journal keeps ids, and nothing else, for as long as a backup may be restored: or what was erased would be back.
_JOURNAL = frozenset({"journal_mark.destroyed", "journal_note.body"})


async def rows(site: Site) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    async with site.platform.database.read() as reader:
        return {
            table._meta.tablename: await reader.rows(
                f"SELECT {', '.join(column._meta.db_column_name for column in table._meta.columns)}"
                f" FROM {table._meta.tablename}"
            )
            for table in tables()
        }


async def places(site: Site, markers: Iterable[str]) -> list[str]:
    """Where any of the markers is: `table.column`, `object`, `redis`."""
    wanted = tuple(markers)
    assert wanted and all(len(marker) > 5 for marker in wanted)
    found = {
        f"{table}.{column}"
        for table, stored in (await rows(site)).items()
        for row in stored
        for column, value in row.items()
        if _holds(value, wanted)
    }
    found |= {"object" for key in site.objects() if _holds(key, wanted)}
    url = site.platform.settings.redis_url
    if url is not None:
        async with redis.Redis.from_url(url) as client:
            async for key in client.scan_iter(f"{site.platform.settings.redis_namespace}:*"):
                if _holds(key, wanted) or _holds(await client.dump(key), wanted):
                    found.add("redis")
    return sorted(found - _JOURNAL)


def _holds(value: object, wanted: tuple[str, ...]) -> bool:
    if isinstance(value, bytes | memoryview):
        return any(marker.encode() in bytes(value) for marker in wanted)
    return any(marker in str(value) for marker in wanted)
