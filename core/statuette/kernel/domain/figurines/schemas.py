"""The API's shapes of figurines."""

from __future__ import annotations

import msgspec

from statuette.kernel.domain.generations.schemas import FigurineView


class FigurinePage(msgspec.Struct, frozen=True):
    """A page, newest first. `next_cursor` is null on the last one."""

    items: list[FigurineView]
    next_cursor: str | None
