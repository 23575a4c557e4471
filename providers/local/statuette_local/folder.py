"""Objects as files below one root. Blocking; knows nothing of addresses or event loops.

The key `uploads/demo/photo.jpg` is the file `uploads+/demo+/photo.jpg`: folders carry a sign that no key contains, so
that one key may continue another (`a` and `a/b`). Files being written begin with a dot, which no key does either.

Below the root no symbolic link is ever followed: each folder is opened relative to the one above it. A link in the way
is a failure, not an absence, since whoever erases data relies on an absence.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from statuette.ports.storage import ObjectExists, StorageUnavailable

_SEGMENT = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_PART = re.compile(r"\.[0-9a-f]{32}\.part")
_FOLDER_SIGN = "+"
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking, so that a pipe planted at an object's place does not hold the thread that opens it.
_OPEN_OBJECT = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE_PART = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PUT_TRIES = 10


class Folder:
    """The tree of objects. Every method may raise `OSError`; absence is `FileNotFoundError` or as said."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, data: bytes, *, modified_ns: int, if_absent: bool) -> os.stat_result:
        """Write and make durable: the bytes, the name, and every folder up to the root. Raises `ObjectExists`."""
        for _ in range(_PUT_TRIES):
            # A purge may take a folder away between our opening and our filling it.
            with suppress(FileNotFoundError):
                return self._put_once(key, data, modified_ns=modified_ns, if_absent=if_absent)
        raise StorageUnavailable("The folder is being purged.")

    def open(self, key: str) -> tuple[int, os.stat_result]:
        """A descriptor to read from, which the caller closes, and what is known of the file."""
        folders, name = _place(key)
        with self._walk(folders) as chain:
            descriptor = os.open(name, _OPEN_OBJECT, dir_fd=chain[-1])
        try:
            return descriptor, _regular(os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise

    def head(self, key: str) -> os.stat_result | None:
        folders, name = _place(key)
        try:
            with self._walk(folders) as chain:
                return _regular(os.stat(name, dir_fd=chain[-1], follow_symlinks=False))
        except FileNotFoundError:
            return None

    def delete(self, keys: Sequence[str]) -> None:
        """Remove what is there, durably."""
        names_by_folder: dict[tuple[str, ...], list[str]] = {}
        for key in keys:
            folders, name = _place(key)
            names_by_folder.setdefault(folders, []).append(name)
        for folders, names in names_by_folder.items():
            with suppress(FileNotFoundError), self._walk(folders) as chain:
                for name in names:
                    with suppress(FileNotFoundError):
                        _regular(os.stat(name, dir_fd=chain[-1], follow_symlinks=False))
                        os.unlink(name, dir_fd=chain[-1])
                os.fsync(chain[-1])

    def purge(self, prefix: str) -> int:
        """Remove unfinished files below `prefix` and folders left empty, `prefix` included; returns how many files."""
        *above, last = _folders(prefix)
        try:
            with self._walk(above) as chain:
                removed = _purge(chain[-1], last)
                os.fsync(chain[-1])
                return removed
        except FileNotFoundError:
            return 0

    def entries(self, prefix: str) -> Generator[tuple[str, os.stat_result], None, None]:
        """Keys below `prefix` and what is known of them, in key order. Holds one descriptor a level while it runs."""
        with suppress(FileNotFoundError), self._walk(_folders(prefix)) as chain:
            yield from _entries(chain[-1], prefix)

    def _put_once(self, key: str, data: bytes, *, modified_ns: int, if_absent: bool) -> os.stat_result:
        folders, name = _place(key)
        with self._walk(folders, create=True) as chain:
            at = chain[-1]
            part = f".{secrets.token_hex(16)}.part"
            try:
                written = _write(part, data, modified_ns, at)
                if if_absent:
                    os.link(part, name, src_dir_fd=at, dst_dir_fd=at, follow_symlinks=False)
                else:
                    os.rename(part, name, src_dir_fd=at, dst_dir_fd=at)
            except FileExistsError:
                raise ObjectExists() from None
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=at)
            # Every level, whoever made it: another writer may have made a folder and not yet flushed its name.
            for descriptor in reversed(chain):
                os.fsync(descriptor)
            return written

    @contextmanager
    def _walk(self, folders: Sequence[str], *, create: bool = False) -> Iterator[list[int]]:
        """Descriptors of the root and of each folder below it; closed at the end."""
        if create:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            # The root itself may be a link: operators move data to larger disks that way.
            chain = [os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
            stack.callback(os.close, chain[0])
            for folder in folders:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(folder, 0o700, dir_fd=chain[-1])
                chain.append(os.open(folder, _OPEN_FOLDER, dir_fd=chain[-1]))
                stack.callback(os.close, chain[-1])
            yield chain


def _place(key: str) -> tuple[tuple[str, ...], str]:
    *segments, name = key.split("/")
    return tuple(segment + _FOLDER_SIGN for segment in segments), name


def _folders(prefix: str) -> list[str]:
    return [segment + _FOLDER_SIGN for segment in prefix.removesuffix("/").split("/")]


def _segment(name: str) -> str | None:
    """The segment of a key that the folder `name` stands for; None for a foreign one such as `lost+found`."""
    segment = name.removesuffix(_FOLDER_SIGN)
    return segment if segment != name and _SEGMENT.fullmatch(segment) else None


def _regular(found: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise StorageUnavailable("Something that is no file stands in an object's place.")
    return found


def _write(part: str, data: bytes, modified_ns: int, at: int) -> os.stat_result:
    descriptor = os.open(part, _CREATE_PART, 0o600, dir_fd=at)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.utime(descriptor, ns=(modified_ns, modified_ns))
        os.fsync(descriptor)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _entries(at: int, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    for key in sorted(_children(at, prefix)):
        name = key.removeprefix(prefix)
        with suppress(FileNotFoundError):  # gone since the folder was read
            if not name.endswith("/"):
                yield key, _regular(os.stat(name, dir_fd=at, follow_symlinks=False))
                continue
            below = os.open(name.removesuffix("/") + _FOLDER_SIGN, _OPEN_FOLDER, dir_fd=at)
            try:
                yield from _entries(below, key)
            finally:
                os.close(below)


def _children(at: int, prefix: str) -> Iterator[str]:
    """Keys, and prefixes of deeper keys with their slash, so that sorting them sorts everything below them too."""
    for name in os.listdir(at):
        segment = _segment(name)
        if segment is not None:
            yield f"{prefix}{segment}/"
        elif _SEGMENT.fullmatch(name):
            yield prefix + name


def _purge(above: int, folder: str) -> int:
    at = os.open(folder, _OPEN_FOLDER, dir_fd=above)
    removed = 0
    try:
        for name in os.listdir(at):  # noqa: PTH208 - a descriptor, not a path
            with suppress(FileNotFoundError):  # another purge, or the writer itself, was faster
                if _PART.fullmatch(name):
                    os.unlink(name, dir_fd=at)
                    removed += 1
                elif _segment(name) is not None:
                    removed += _purge(at, name)
        os.fsync(at)
    finally:
        os.close(at)
    with suppress(OSError):  # not empty: it stays
        os.rmdir(folder, dir_fd=above)
    return removed
