"""Makes the file of master keys, and adds to it; its form is known to `statuette.envelope`."""

from __future__ import annotations

import os
from pathlib import Path

from statuette.envelope import new_master_key_line, read_master_keys
from statuette_local_keys.files import make_private_folder, publish_new, replace, write_synced


def make_file(path: Path) -> None:
    """Make the file with one key, mode 0600, unless another process was faster."""
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    write_synced(draft, new_master_key_line().encode())
    publish_new(draft, path)


def add_key(path: Path) -> str:
    """Append a fresh key; returns its id. Whoever reads meanwhile reads the file before or after. Nobody else may add."""
    present = path.read_bytes()
    line = new_master_key_line().encode()
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    write_synced(draft, present + (b"" if present.endswith(b"\n") else b"\n") + line)
    replace(draft, path)
    return read_master_keys(path).newest
