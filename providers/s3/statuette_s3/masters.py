"""The master keys that wrap data keys in the bucket."""

from __future__ import annotations

from pathlib import Path

from statuette import ConfigurationError
from statuette.envelope import MasterKeys, read_master_keys

_PLATFORMS = "platform"


class Masters:
    """Reads the master keys anew at each call: those of the file, or one that is derived from the platform's.

    The derived one goes on to open what it wrapped after a file was set, until `rewrap_all` has run.
    """

    def __init__(self, file: Path | None, derived: bytes) -> None:
        self._file = file
        self._derived = {_PLATFORMS: derived}

    def __call__(self) -> MasterKeys:
        """Blocks. Raises `ConfigurationError` and `KeyStoreUnavailable`, as `read_master_keys` does."""
        if self._file is None:
            return MasterKeys(self._derived)
        try:
            found = read_master_keys(self._file)
        except FileNotFoundError:
            raise ConfigurationError(
                f"The master key file {self._file} does not exist.",
                cure="Put it there, or leave `master_key_file` unset to go by the platform's master key.",
            ) from None
        return found.after(self._derived)
