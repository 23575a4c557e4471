"""Files that survive a kill at any moment: written whole or not at all, and removed with their bytes overwritten."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_private_folder(path: Path) -> None:
    """Make `path` for this user alone, parents included; what exists is left as it is."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def write_synced(path: Path, data: bytes) -> None:
    """Write `data` to a private file and wait until it is on the disk. An existing file is overwritten in place."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def publish_new(source: Path, target: Path) -> bool:
    """Give the finished file `source` the name `target`, unless that is taken. Atomic between processes, durable after.

    Returns:
        False when `target` existed already; it is untouched. `source` is gone either way.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    finally:
        source.unlink()
    sync_folder(target.parent)
    return True


def replace(source: Path, target: Path) -> None:
    """Put the finished file `source` in the place of `target` at once, then overwrite what stood there."""
    with target.open("r+b") as old:
        source.replace(target)
        sync_folder(target.parent)
        _overwrite(old.fileno())


def destroy_file(path: Path) -> None:
    """Overwrite the bytes of `path`, then remove it. Fine when it is not there.

    Best effort below the file system: flash, snapshots and copy-on-write file systems may keep old blocks.
    """
    try:
        with path.open("r+b") as file:
            _overwrite(file.fileno())
            path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make names that were added to or removed from the folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold `lock` against every other thread and process; the system lets go of it when the holder dies."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int) -> None:
    os.pwrite(descriptor, os.urandom(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)
