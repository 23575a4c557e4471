"""Twelve figurine styles."""

from __future__ import annotations

from collections.abc import Sequence

from statuette import Plugin, hookimpl
from statuette.styles import Style

__all__ = ["ClassicStylesPlugin", "plugin"]


class ClassicStylesPlugin(Plugin):
    name = "classic_styles"
    version = "0.1.0"
    requires = ">=0.1,<0.2"

    @hookimpl
    def styles(self) -> Sequence[Style]:
        from statuette_classic_styles.catalogue import STYLES

        return STYLES


plugin = ClassicStylesPlugin()
