"""A driver connection behind one face."""

from __future__ import annotations

from typing import Any, Protocol


class Connection(Protocol):
    """Named parameters in, dictionaries out; errors of the driver are ours by then (`statuette.kernel.db.errors`)."""

    async def fetch(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]: ...
