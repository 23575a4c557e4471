"""Puts a backup in the place of what there is, while nobody serves; the journal is then replayed before anybody is served."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from statuette.errors import ConfigurationError
from statuette.kernel.backup.making import copy_database
from statuette.kernel.backup.manifest import DATABASE, OBJECTS, Manifest, objects_of, verify
from statuette.kernel.journal.journal import Journal
from statuette.ports.storage import ObjectExists, Storage


class PutBack(msgspec.Struct, frozen=True):
    """Attributes:
    objects: that were missing, and are back.
    objects_there: that were there already, and left as they are.
    """

    objects: int
    objects_there: int


async def look_over(
    folder: Path, journal: Journal, kept: timedelta, now: datetime, *, without_journal: bool
) -> Manifest:
    """Whether the backup can be restored, before anything is touched.

    Raises:
        BackupDamaged: it is not what was made.
        ConfigurationError: it is too old, or what was erased since it was made is not known here; with the cure.
    """
    manifest = await asyncio.to_thread(verify, folder)
    if now - manifest.made_at > kept:
        raise ConfigurationError(
            f"The backup is of {manifest.made_at:%Y-%m-%d}, older than the {kept.days} days that the erasure journal reaches back.",
            cure="Restore a younger one.",
        )
    if manifest.journal_was_there and not without_journal and not await journal.begun():
        raise ConfigurationError(
            f"There is no erasure journal in {journal.storage.name}, and there was one when the backup was made.",
            cure="Restore the journal, or set `journal_storage` to where it is. If it is lost, `--without-journal` restores all"
            " the same, and everything that was erased since the backup was made is back.",
        )
    return manifest


async def put_back(folder: Path, database: Path, storage: Storage) -> PutBack:
    """Objects first, then the database, at once: until then it is the one from before."""
    objects = there = 0
    for entry in objects_of(folder):
        data = await asyncio.to_thread((folder / OBJECTS / entry.key).read_bytes)
        media_type = mimetypes.guess_type(entry.key)[0] or "application/octet-stream"
        try:
            await storage.put(entry.key, data, media_type=media_type, if_absent=True)
            objects += 1
        except ObjectExists:
            there += 1
    await asyncio.to_thread(_put_database, folder / DATABASE, database)
    return PutBack(objects, there)


def _put_database(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f"{target.name}.restoring")
    shutil.copyfile(source, draft)
    draft.chmod(0o600)
    descriptor = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    # The log of the former database must never be read into the new one.
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    draft.replace(target)


async def tried_out(folder: Path, scratch: Path) -> Path:
    """A copy of the backup's database in `scratch`, to be opened. Raises `BackupDamaged`, `ConfigurationError`."""
    await asyncio.to_thread(verify, folder)
    target = scratch / DATABASE
    await asyncio.to_thread(copy_database, folder / DATABASE, target)
    return target
