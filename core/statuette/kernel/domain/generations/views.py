"""Jobs and figurines as the API shows them."""

from __future__ import annotations

from datetime import datetime

from statuette.kernel.domain.figurines.service import KEEP, SIZES
from statuette.kernel.domain.generations.outcomes import UNFINISHED
from statuette.kernel.domain.generations.schemas import CreditsView, FigurineView, GenerationView, InputView
from statuette.kernel.domain.generations.shown import Whole
from statuette.kernel.pixels.mark import DIGITAL_SOURCE_TYPE
from statuette.kernel.platform import Platform
from statuette.policy import enforces

KEPT = "kept until you ask for its deletion"
_UNFINISHED = frozenset(state.value for state in UNFINISHED)


def generation(platform: Platform, whole: Whole) -> GenerationView:
    row = whole.job
    final = row.state not in _UNFINISHED
    return GenerationView(
        id=row.id,
        state=row.state,
        final=final,
        reason=row.reason,
        style=row.style,
        style_version=row.style_version,
        variables=row.variable_map(),
        aspect_ratio=row.aspect_ratio,
        count=row.picture_count,
        subjects=row.subject_count,
        parent=row.parent_id,
        notify=row.notify,
        inputs=[InputView(item.role, item.upload_id, item.figurine_id) for item in whole.inputs],
        figurines=[
            figurine(
                platform,
                brand_id=row.brand_id,
                generation_id=row.id,
                figurine_id=picture.id,
                media_type=picture.media_type,
                width=picture.width,
                height=picture.height,
                created_at=picture.created_at,
                due_at=picture.due_at,
            )
            for picture in whole.pictures
        ],
        credits=CreditsView(held=0 if final else row.credits_each * row.picture_count, captured=row.credits_captured),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        ends_by=row.expires_at,
    )


@enforces("notify.ai_made")
def source_type() -> str:
    """What made a picture, in IPTC's words; stands beside each that is shown."""
    return DIGITAL_SOURCE_TYPE


def figurine(
    platform: Platform,
    *,
    brand_id: str,
    generation_id: str,
    figurine_id: str,
    media_type: str,
    width: int,
    height: int,
    created_at: datetime,
    due_at: datetime | None,
) -> FigurineView:
    expires_at = platform.images.expiry(platform.clock.now(), due_at)
    return FigurineView(
        id=figurine_id,
        generation_id=generation_id,
        width=width,
        height=height,
        media_type=media_type,
        created_at=created_at,
        expires_at=due_at,
        retention=f"deleted by the rule {KEEP}" if due_at else KEPT,
        images={size: platform.images.url(brand_id, "figurines", figurine_id, size, expires_at) for size in SIZES},
        images_expire_at=expires_at,
        digital_source_type=source_type(),
    )
