"""Makes the file of master keys, whose form `statuette.envelope` knows."""

from __future__ import annotations

import os
from pathlib import Path

from statuette.envelope import new_master_key_line
from statuette_local_keys.files import make_private_folder, publish_new, write_synced


def make_file(path: Path) -> None:
    """Make the file with one key, mode 0600, unless another process was faster."""
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    write_synced(draft, new_master_key_line().encode())
    publish_new(draft, path)
