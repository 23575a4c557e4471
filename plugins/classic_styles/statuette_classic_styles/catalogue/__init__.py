"""The styles, one module each, in the order in which they are offered."""

from __future__ import annotations

from statuette.styles import Style
from statuette_classic_styles.catalogue import (
    action_card,
    anime_pvc,
    blind_box,
    bobblehead,
    brick_minifigure,
    bust,
    chibi,
    clay_stop_motion,
    diorama,
    resin_kit,
    scale_collectible,
    vinyl_big_head,
)

STYLES: tuple[Style, ...] = (
    scale_collectible.STYLE,
    anime_pvc.STYLE,
    chibi.STYLE,
    action_card.STYLE,
    vinyl_big_head.STYLE,
    bobblehead.STYLE,
    clay_stop_motion.STYLE,
    brick_minifigure.STYLE,
    blind_box.STYLE,
    resin_kit.STYLE,
    bust.STYLE,
    diorama.STYLE,
)
