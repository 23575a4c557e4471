"""Makes a backup of an embedded deployment while it serves.

The database is copied first, in one read transaction. Objects follow, as they are then: one that is gone by now was erased, and the
journal knows. What has a date of its end is left out, so that no backup holds a photo for longer than its rule allows;
figurines and saved photos stay in backups for as long as these are kept. Data keys are copied to a place of their own: together
with the database they would open it, and a destroyed key would be destroyed in name only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from statuette.dataset import Dataset
from statuette.errors import ConfigurationError
from statuette.kernel.backup.manifest import (
    DATABASE,
    FORMAT,
    MANIFEST,
    OBJECT_LIST,
    OBJECTS,
    Manifest,
    ObjectEntry,
    moment_of,
    name_at,
    sha256_of,
)
from statuette.ports.storage import ObjectInfo, ObjectNotFound, Storage

_PARTS_OF_A_KEY = 4  # dataset, brand, record, file


class Made(msgspec.Struct, frozen=True):
    """A backup.

    Attributes:
        keys_folder: where data keys were copied to, if they were.
        keys: how many of them, tombstones included.
        expired: names of older ones that were removed, as their time was over.
    """

    folder: str
    manifest: Manifest
    keys_folder: str | None
    keys: int
    expired: tuple[str, ...]


def prepare_places(target: Path, keys_target: Path | None, data_dir: Path) -> None:
    """Make the folders that are not there. Raises `ConfigurationError` for a place where a backup would be of no use."""
    for place in filter(None, (target, keys_target)):
        if place.resolve().is_relative_to(data_dir.resolve()):
            raise ConfigurationError(
                f"{place} lies in the platform's own folder, and would be lost with it.",
                cure="Name a folder on another disk, better on another machine.",
            )
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if keys_target is not None and keys_target.resolve() == target.resolve():
        raise ConfigurationError(
            "The keys would lie beside what they open.",
            cure="Give --keys-to a place of its own, better on another machine.",
        )


async def make(
    database: Path, storage: Storage, datasets: Iterable[Dataset], target: Path, now: datetime
) -> tuple[Path, Manifest]:
    """Make a backup in a new folder below `target`. It gets its name when it is whole: what a kill leaves has none."""
    folder = target / name_at(now)
    if folder.exists():
        raise ConfigurationError(f"{folder} exists already.", cure="Wait a second.")
    draft = target / f".{folder.name}.partial"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / OBJECTS).mkdir(parents=True, mode=0o700)
    await asyncio.to_thread(copy_database, database, draft / DATABASE)
    with contextlib.closing(sqlite3.connect(draft / DATABASE, check_same_thread=False)) as copy:
        count, size_bytes, left_out = await _copy_objects(copy, storage, datasets, draft)
        migrations = tuple(name for (name,) in copy.execute("SELECT name FROM migration ORDER BY name"))
        (marks,) = copy.execute("SELECT COUNT(*) FROM journal_mark").fetchone()
    manifest = Manifest(
        format=FORMAT,
        made_at=now,
        migrations=migrations,
        database_sha256=await asyncio.to_thread(sha256_of, draft / DATABASE),
        database_bytes=(draft / DATABASE).stat().st_size,
        objects_sha256=await asyncio.to_thread(sha256_of, draft / OBJECT_LIST),
        objects=count,
        objects_bytes=size_bytes,
        left_out=left_out,
        journal_was_there=marks > 0,
    )
    (draft / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    await asyncio.to_thread(_sync, draft)
    draft.rename(folder)
    _sync_folder(target)
    return folder, manifest


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite database that others write to meanwhile. Blocks; they are not kept waiting."""
    target.touch(mode=0o600)
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as opened,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        opened.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        (told,) = copy.execute("PRAGMA integrity_check").fetchone()
    if told != "ok":
        raise ConfigurationError(f"SQLite finds {source} damaged: {told}.", cure="Restore the last good backup.")


def expire(target: Path, kept: timedelta, now: datetime) -> tuple[str, ...]:
    """Remove backups whose time is over: what was erased since they were made is in them. Blocks."""
    gone = []
    for folder in sorted(target.iterdir()):
        made_at = moment_of(folder)
        if made_at is not None and now - made_at > kept:
            shutil.rmtree(folder)
            gone.append(folder.name)
    return tuple(gone)


async def _copy_objects(
    copy: sqlite3.Connection, storage: Storage, datasets: Iterable[Dataset], draft: Path
) -> tuple[int, int, int]:
    count = size_bytes = left_out = 0
    with (draft / OBJECT_LIST).open("wb") as told:
        async for found in _objects(storage, datasets):
            if not _stays(copy, found.key):
                left_out += 1
                continue
            entry = await _copied(storage, found.key, draft / OBJECTS / found.key)
            if entry is None:
                continue
            told.write(msgspec.json.encode(entry) + b"\n")
            count += 1
            size_bytes += entry.size_bytes
    return count, size_bytes, left_out


async def _objects(storage: Storage, datasets: Iterable[Dataset]) -> AsyncIterator[ObjectInfo]:
    roots = {template.partition("/")[0] + "/" for dataset in datasets for template in dataset.object_prefixes}
    for root in sorted(roots):
        async for found in storage.list(root):
            yield found


def _stays(copy: sqlite3.Connection, key: str) -> bool:
    """Whether the copy of the database knows the object's record, and no end of it."""
    parts = key.split("/")
    if len(parts) != _PARTS_OF_A_KEY:
        return False
    ends = copy.execute("SELECT due_at FROM deadline WHERE record_id = ?", (parts[2],)).fetchall()
    return bool(ends) and all(due_at is None for (due_at,) in ends)


async def _copied(storage: Storage, key: str, target: Path) -> ObjectEntry | None:
    """None if the object has gone."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    try:
        with target.open("wb") as file:
            async for chunk in storage.stream(key):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
    except ObjectNotFound:
        await asyncio.to_thread(target.unlink)
        return None
    return ObjectEntry(key, size, digest.hexdigest())


def _sync(folder: Path) -> None:
    for path in _all_below(folder):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    _sync_folder(folder)


def _all_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*"))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
