"""The file of master keys: one a line, `<id> <base64 of 32 bytes>`, newest last; `#` starts a comment line."""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path

from statuette.errors import ConfigurationError
from statuette.ports.keys import KeyStoreUnavailable

KEY_LENGTH_BYTES = 32
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MAX_FILE_BYTES = 64 * 1024


class MasterKeys:
    """Master keys by id, newest last: those of one reading of the file, say."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys

    def __repr__(self) -> str:
        return f"MasterKeys({', '.join(self._keys)})"

    @property
    def newest(self) -> str:
        """Id of the key that wraps from now on."""
        return next(reversed(self._keys))

    def get(self, key_id: str) -> bytes | None:
        return self._keys.get(key_id)

    def after(self, older: dict[str, bytes]) -> MasterKeys:
        """These, and older ones that only open."""
        return MasterKeys({**older, **self._keys})


def new_master_key_line() -> str:
    """A fresh master key as a line of the file."""
    return f"mk-{os.urandom(4).hex()} {base64.b64encode(os.urandom(KEY_LENGTH_BYTES)).decode()}\n"


def read_master_keys(path: Path) -> MasterKeys:
    """Read the keys.

    Raises:
        FileNotFoundError: there is no file.
        ConfigurationError: others may read the file, or a line is not understood (named by number, never shown).
        KeyStoreUnavailable: the file cannot be read now.
    """
    try:
        with path.open("rb") as file:
            # Of the opened file, not of the name: a name can be pointed elsewhere in between.
            _refuse_if_shared(path, os.fstat(file.fileno()))
            content = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyStoreUnavailable(f"The master key file {path} cannot be read: {error.strerror}.") from None
    if len(content) > _MAX_FILE_BYTES:
        raise ConfigurationError(f"The master key file {path} is longer than {_MAX_FILE_BYTES} bytes.")
    keys: dict[str, bytes] = {}
    for number, line in enumerate(content.decode("ascii", errors="replace").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            key_id, key = _parse(line, f"{path}:{number}")
            if key_id in keys:
                raise ConfigurationError(
                    f"{path}:{number} repeats the key id {key_id!r}.", cure="Give each key its own."
                )
            keys[key_id] = key
    if not keys:
        raise ConfigurationError(f"The master key file {path} holds no key.", cure="Restore it from its backup.")
    return MasterKeys(keys)


def _parse(line: str, place: str) -> tuple[str, bytes]:
    key_id, _, encoded = line.strip().partition(" ")
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _ID.fullmatch(key_id) or len(key) != KEY_LENGTH_BYTES:
        raise ConfigurationError(
            f"{place} is not a master key.",
            cure=f"A line is an id of small letters, digits, - and _, a space, and {KEY_LENGTH_BYTES} bytes in base64.",
        )
    return key_id, key


def _refuse_if_shared(path: Path, status: os.stat_result) -> None:
    if status.st_mode & 0o077:
        raise ConfigurationError(
            f"The master key file {path} is open to other users of this machine (mode {status.st_mode & 0o777:04o}).",
            cure=f"Run `chmod 600 {path}`; in Kubernetes mount the secret with `defaultMode: 0400`.",
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise ConfigurationError(
            f"The master key file {path} belongs to another user.", cure=f"Run `chown {os.geteuid()} {path}`."
        )
