"""What a backup is: a folder with a copy of the database, the objects that have no end, and a list of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from statuette.errors import StatuetteError

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sqlite"
OBJECTS = "objects"
OBJECT_LIST = "objects.jsonl"
_READ_BYTES = 1024 * 1024
_NAME = "statuette-%Y%m%dT%H%M%SZ"


class BackupDamaged(StatuetteError):
    """A backup is incomplete, or not as it was made. Final: take another."""

    code = "backup_damaged"
    summary = "The backup is not whole."


class ObjectEntry(msgspec.Struct, frozen=True):
    key: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """Attributes:
    migrations: that the database had seen.
    objects_sha256: of the list of objects.
    left_out: objects with an end: what is to be deleted soon goes into no backup.
    journal_was_there: the database knew of an erasure journal, which a restore then needs.
    """

    format: int
    made_at: datetime
    migrations: tuple[str, ...]
    database_sha256: str
    database_bytes: int
    objects_sha256: str
    objects: int
    objects_bytes: int
    left_out: int
    journal_was_there: bool


def name_at(moment: datetime) -> str:
    return moment.strftime(_NAME)


def moment_of(folder: Path) -> datetime | None:
    """When a backup was made, by its name; None for any other folder."""
    try:
        return datetime.strptime(folder.name, _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Raises `BackupDamaged`."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        raise BackupDamaged(
            f"{folder} holds no finished backup.", cure="Name a folder that `statuette backup` made."
        ) from None
    if manifest.format != FORMAT:
        raise BackupDamaged(f"{folder} has the format {manifest.format}; this version reads {FORMAT}.")
    return manifest


def objects_of(folder: Path) -> Iterator[ObjectEntry]:
    decoder = msgspec.json.Decoder(ObjectEntry)
    with (folder / OBJECT_LIST).open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)


def verify(folder: Path) -> Manifest:
    """Read all of it and compare. Blocks. Raises `BackupDamaged`, which names what is wrong."""
    manifest = read_manifest(folder)
    for name, expected in ((DATABASE, manifest.database_sha256), (OBJECT_LIST, manifest.objects_sha256)):
        if not (folder / name).is_file() or sha256_of(folder / name) != expected:
            raise BackupDamaged(f"{folder / name} is missing, or not what was written.")
    for entry in objects_of(folder):
        path = folder / OBJECTS / entry.key
        if not path.is_file() or sha256_of(path) != entry.sha256:
            raise BackupDamaged(f"{path} is missing, or not what was written.")
    return manifest
