"""The folder of wrapped data keys. Blocking; `LocalKeyStore` runs it in threads.

    ab/ab3f….key     the wrapped key of the subject whose SHA-256 is ab3f…
    ab/ab3f….gone    the tombstone: that key was destroyed, and none is ever made again
    ab/ab3f….new     a key being written; only ever seen by others after a kill
    ab/lock          held by whoever changes anything below ab/
    lock             held by whoever makes the master key file

A tombstone outranks a key. It is durable before the first byte of the key is overwritten, so that a kill in between
leaves a subject without a usable key, and the next `destroy` or `rewrap` finishes the work.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from statuette import ConfigurationError
from statuette.envelope import (
    KEY_LENGTH_BYTES,
    MasterKeys,
    UnreadableRecordError,
    read_master_keys,
    read_record,
    unwrap,
    wrap,
)
from statuette.ports.keys import KeyDestroyed, KeyStoreUnavailable
from statuette_local_keys.files import (
    destroy_file,
    exclusive,
    make_private_folder,
    publish_new,
    replace,
    sync_folder,
    write_synced,
)
from statuette_local_keys.master_keys import add_key, make_file

_STORE = "statuette-local-keys"


class Vault:
    """Data keys below `folder`, wrapped by the keys in `master_file`.

    Args:
        make_master_file: make a missing master key file, as long as the folder is empty.
    """

    def __init__(self, folder: Path, master_file: Path, *, make_master_file: bool) -> None:
        self._folder = folder
        self._master_file = master_file
        self._make_master_file = make_master_file

    def create(self, subject: str) -> bytes:
        place = self._place(subject)
        with _clear_errors():
            masters = self._masters()
            self._open_folder(place.shard)
            with exclusive(place.lock):
                if place.gone.exists():
                    raise KeyDestroyed()
                if not place.key.exists():
                    data_key = os.urandom(KEY_LENGTH_BYTES)
                    write_synced(place.new, wrap(data_key, place.subject_hash, masters, store=_STORE))
                    if publish_new(place.new, place.key):
                        return data_key
                return self._unwrapped(place, masters)

    def use(self, subject: str) -> bytes:
        place = self._place(subject)
        with _clear_errors():
            if place.gone.exists() or not place.key.exists():
                raise KeyDestroyed()
            masters = self._masters()
            try:
                data_key = unwrap(place.key.read_bytes(), place.subject_hash, masters, store=_STORE)
            except (FileNotFoundError, UnreadableRecordError):
                # Destroying and rewrapping overwrite what they replace, maybe under this very read: judge when nobody
                # writes.
                with exclusive(place.lock):
                    if place.gone.exists():
                        raise KeyDestroyed() from None
                    return self._unwrapped(place, self._masters())
            if place.gone.exists():
                raise KeyDestroyed()
            return data_key

    def destroy(self, subject: str) -> None:
        place = self._place(subject)
        with _clear_errors():
            self._open_folder(place.shard)
            with exclusive(place.lock):
                if not place.gone.exists():
                    write_synced(place.new, b"destroyed\n")
                    publish_new(place.new, place.gone)
                place.remove_key()

    def add_master_key(self) -> str:
        """Make a newer master key; returns its id.

        Raises:
            ConfigurationError: the operator named the file, and so looks after it.
        """
        if not self._make_master_file:
            raise ConfigurationError(
                f"The master key file {self._master_file} is yours to change.",
                cure="Append the line that `statuette keys new` prints, on every machine, then run `statuette keys rewrap`.",
            )
        with _clear_errors():
            self._masters()
            with exclusive(self._folder / "lock"):
                return add_key(self._master_file)

    def rewrap(self, shard_name: str) -> int:
        """Wrap the keys of one shard, named by two hex digits, with the newest master key; returns how many changed.

        Raises:
            KeyStoreUnavailable: some records cannot be read; all others have been wrapped anew.
        """
        changed, unreadable = 0, []
        shard = self._folder / shard_name
        with _clear_errors():
            if not shard.is_dir():
                return 0
            masters = self._masters()
            for path in sorted(shard.glob("*.key")):
                place = _Place(self._folder, path.stem)
                with exclusive(place.lock):
                    if place.gone.exists():
                        place.remove_key()
                        continue
                    try:
                        changed += self._rewrap_one(place, masters)
                    except FileNotFoundError:
                        continue
                    except UnreadableRecordError:
                        unreadable.append(path.name)
        if unreadable:
            raise KeyStoreUnavailable(
                f"{len(unreadable)} key records below {shard} cannot be read, the first of them {unreadable[0]}.",
                cure="Restore them, or the master key that wrapped them, from the backup of the keys.",
            )
        return changed

    def back_up(self, folder: Path) -> int:
        """Copy every record to `folder`; returns how many. What is destroyed meanwhile is copied as that, or not at all."""
        count = 0
        with _clear_errors():
            make_private_folder(folder)
            for path in sorted(self._folder.glob("??/*.*")):
                if path.suffix not in (".key", ".gone"):
                    continue
                place = _Place(self._folder, path.stem)
                with exclusive(place.lock):
                    source = place.gone if place.gone.exists() else place.key
                    target = folder / source.name
                    if not source.exists() or target.exists():
                        continue
                    write_synced(target, source.read_bytes())
                    count += 1
            sync_folder(folder)
        return count

    def put_back(self, folder: Path) -> int:
        """Add what `back_up` copied and this folder lacks; returns how many. A tombstone outranks a key, on either side."""
        count = 0
        with _clear_errors():
            for path in sorted(folder.iterdir()):
                if path.suffix not in (".key", ".gone"):
                    continue
                place = _Place(self._folder, path.stem)
                self._open_folder(place.shard)
                with exclusive(place.lock):
                    target = place.key if path.suffix == ".key" else place.gone
                    if place.gone.exists() or target.exists():
                        continue
                    write_synced(place.new, path.read_bytes())
                    count += publish_new(place.new, target)
                    if target == place.gone:
                        place.remove_key()
        return count

    def _rewrap_one(self, place: _Place, masters: MasterKeys) -> bool:
        record = place.key.read_bytes()
        if read_record(record).master == masters.newest:
            return False
        data_key = unwrap(record, place.subject_hash, masters, store=_STORE)
        write_synced(place.new, wrap(data_key, place.subject_hash, masters, store=_STORE))
        replace(place.new, place.key)
        return True

    def _unwrapped(self, place: _Place, masters: MasterKeys) -> bytes:
        try:
            return unwrap(place.key.read_bytes(), place.subject_hash, masters, store=_STORE)
        except UnreadableRecordError as reason:
            raise KeyStoreUnavailable(
                f"The key record {place.key} cannot be read: {reason}.",
                cure="Restore it, or the master key that wrapped it, from the backup of the keys.",
            ) from None

    def _masters(self) -> MasterKeys:
        # Read each time: the file is small, and a key appended while we run must be known at once.
        try:
            return read_master_keys(self._master_file)
        except FileNotFoundError:
            pass
        if not self._make_master_file:
            raise ConfigurationError(
                f"The master key file {self._master_file} does not exist.",
                cure="Put it there, or leave `master_key_file` unset to have one made.",
            )
        make_private_folder(self._folder)
        with exclusive(self._folder / "lock"):
            try:
                return read_master_keys(self._master_file)  # another process was faster
            except FileNotFoundError:
                pass
            if any(self._folder.glob("??/*.key")):
                # A new master key would open none of them and hide the loss.
                raise ConfigurationError(
                    f"The master key file {self._master_file} is gone, but {self._folder} holds keys that it wrapped.",
                    cure="Restore it from its backup.",
                )
            make_file(self._master_file)
            return read_master_keys(self._master_file)

    def _open_folder(self, shard: Path) -> None:
        make_private_folder(self._folder)
        mode = self._folder.stat().st_mode
        if mode & 0o077:
            raise ConfigurationError(
                f"Other users of this machine may look into the key folder {self._folder} (mode {mode & 0o777:04o}).",
                cure=f"Run `chmod 700 {self._folder}`.",
            )
        make_private_folder(shard)

    def _place(self, subject: str) -> _Place:
        return _Place(self._folder, hashlib.sha256(subject.encode()).hexdigest())


class _Place:
    """Where the files of one subject are."""

    def __init__(self, folder: Path, subject_hash: str) -> None:
        self.subject_hash = subject_hash
        self.shard = folder / subject_hash[:2]
        self.lock = self.shard / "lock"
        self.key = self.shard / f"{subject_hash}.key"
        self.gone = self.shard / f"{subject_hash}.gone"
        self.new = self.shard / f"{subject_hash}.new"

    def remove_key(self) -> None:
        destroy_file(self.key)
        destroy_file(self.new)  # a copy that a killed process left behind


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyStoreUnavailable(f"The key folder does not work: {error.strerror}.") from error
