"""The master key of a deployment, and the keys derived from it.

A master key of one's own comes from the settings. The embedded profile makes one on first start and keeps it beside,
not in, the database.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from statuette.errors import ConfigurationError
from statuette.kernel.settings import Settings

KEY_BYTES = 32
_CURE = "Make one with `openssl rand -base64 32`."


def master_key(settings: Settings) -> bytes:
    """The 32 bytes; made and stored when the embedded profile has none yet.

    Raises:
        ConfigurationError: there is none, or it is not 32 bytes in base64. The key itself is never shown.
    """
    if settings.master_key is not None:
        return _decoded(settings.master_key, settings.source("master_key"))
    if settings.master_key_file is not None:
        return _decoded(_read(settings.master_key_file), str(settings.master_key_file))
    if settings.profile == "cluster":
        raise ConfigurationError("The setting `master_key` is missing: `cluster` makes no keys by itself.", cure=_CURE)
    path = settings.data_dir / "keys" / "master-key"
    if not path.exists():
        _make(path)
    return _decoded(_read(path), str(path))


def derived(key: bytes, info: str) -> bytes:
    """32 bytes for one use alone (HKDF with SHA-256, RFC 5869). One cannot be computed from another."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(key)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"The master key file {path} cannot be read: {reason}.") from None


def _decoded(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"The master key ({source}) is not {KEY_BYTES} bytes in base64.", cure=_CURE)
    return key


def _make(path: Path) -> None:
    """Write a fresh key durably, mode 0600, unless another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, since it fails where a rename would replace the key that others already derive from.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
