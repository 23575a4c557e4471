"""Gathers what `check` looks at: from the plugins, the database, Redis, the object store and the sources of all that runs."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import islice
from pathlib import Path

import statuette.kernel
from statuette.dataset import Dataset
from statuette.errors import StatuetteError
from statuette.kernel.data_map.check import OURS, Attribute, CacheKey, Subject
from statuette.kernel.db.database import Database
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.settings import Settings
from statuette.kernel.telemetry.attributes import ATTRIBUTES, used_in
from statuette.policy import PolicyPack, compile_policy
from statuette.ports.storage import Storage

_MOST_KEYS = 10_000
_MOST_OBJECTS = 1_000
# What migrations and the engines keep of themselves.
_NOT_OURS = frozenset({"migration", "schema_contract", "sqlite_sequence"})


async def subject(
    settings: Settings, plugins: PluginRegistry, database: Database, datasets: Mapping[str, Dataset]
) -> Subject:
    """Everything there is to look at. What cannot be reached is named, not passed over.

    Raises:
        ConfigurationError: packs that contradict each other.
    """
    packs = _packs(plugins)
    missed: list[str] = []
    return Subject(
        policy=compile_policy(packs),
        packs=packs,
        datasets=datasets,
        owners=plugins.owners(),
        columns=await _columns(database),
        attributes=tuple(_attributes(plugins)),
        classified=ATTRIBUTES,
        cache_keys=await _cache_keys(settings, missed),
        object_keys=await _object_keys(plugins.storage, datasets, missed),
        not_looked_at=tuple(missed),
    )


def _packs(plugins: PluginRegistry) -> tuple[PolicyPack, ...]:
    """Those in force for all, and every other that a brand may name."""
    return plugins.packs_with(sorted(plugins.all_policy_packs))


async def _columns(database: Database) -> frozenset[tuple[str, str]]:
    async with database.read() as reader:
        if reader.postgres:
            rows = await reader.rows(
                "SELECT c.table_name, c.column_name FROM information_schema.columns c WHERE c.table_schema = current_schema()"
            )
        else:
            rows = await reader.rows(
                "SELECT m.name AS table_name, p.name AS column_name FROM sqlite_master m, pragma_table_info(m.name) p"
                " WHERE m.type = 'table'"
            )
    return frozenset((row["table_name"], row["column_name"]) for row in rows if row["table_name"] not in _NOT_OURS)


async def _cache_keys(settings: Settings, missed: list[str]) -> tuple[CacheKey, ...]:
    if settings.redis_url is None:
        return ()
    import redis.asyncio as redis

    client = redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=2)
    prefix = f"{settings.redis_namespace}:"
    found: list[CacheKey] = []
    try:
        async for name in client.scan_iter(match=f"{prefix}*", count=500):
            key = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
            found.append(CacheKey(key.removeprefix(prefix), await client.ttl(name) == -1))
            if len(found) >= _MOST_KEYS:
                missed.append(f"Redis: more than {_MOST_KEYS:,} keys")
                break
    except redis.RedisError as error:
        missed.append(f"Redis: {type(error).__name__}")
    finally:
        await client.aclose()
    return tuple(found)


async def _object_keys(storage: Storage, datasets: Mapping[str, Dataset], missed: list[str]) -> tuple[str, ...]:
    """Some of what lies below the roots that datasets name."""
    roots = {prefix.partition("/")[0] + "/" for dataset in datasets.values() for prefix in dataset.object_prefixes}
    found: list[str] = []
    try:
        for root in sorted(roots):
            found += [key async for key in _first(storage, root)]
    except StatuetteError as error:
        missed.append(f"The object store: {error.code}")
    return tuple(found)


async def _first(storage: Storage, root: str) -> AsyncIterator[str]:
    count = 0
    async for info in storage.list(root):
        yield info.key
        count += 1
        if count >= _MOST_OBJECTS:
            return


def _attributes(plugins: PluginRegistry) -> Iterator[Attribute]:
    kernel = Path(statuette.kernel.__file__).parent
    yield from _of_package(kernel, OURS)
    for loaded in plugins.loaded:
        spec = importlib.util.find_spec(loaded.module)
        if spec is not None and spec.origin is not None:
            yield from _of_package(Path(spec.origin).parent, loaded.name)


def _of_package(folder: Path, owner: str) -> Iterator[Attribute]:
    for file in islice(sorted(folder.rglob("*.py")), 2_000):
        if file.name == "attributes.py" and file.parent.name == "telemetry":
            continue
        where = file.relative_to(folder.parent).as_posix()
        yield from (Attribute(name, owner, f"{where}:{line}") for name, line in used_in(file))
