"""Jobs and figurines as the API shows them."""

from __future__ import annotations

from statuette.kernel.db.database import Reader
from statuette.kernel.domain.figurines import service as figurines
from statuette.kernel.domain.figurines.service import SIZES, FigurineRow
from statuette.kernel.domain.generations import repository
from statuette.kernel.domain.generations.outcomes import UNFINISHED
from statuette.kernel.domain.generations.repository import GenerationRow
from statuette.kernel.domain.generations.schemas import CreditsView, FigurineView, GenerationView, InputView
from statuette.kernel.enforcement.deadlines import Doom, dooms
from statuette.kernel.platform import Platform

KEPT = "kept until you ask for its deletion"


async def generation(reader: Reader, platform: Platform, row: GenerationRow) -> GenerationView:
    final = row.state not in set(UNFINISHED)
    pictures = await figurines.of_generation(reader, row.brand_id, row.id)
    doomed = await dooms(reader, [picture.id for picture in pictures])
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
        inputs=[
            InputView(item.role, item.upload_id, item.figurine_id) for item in await repository.inputs(reader, row.id)
        ],
        figurines=[figurine(platform, picture, doomed.get(picture.id)) for picture in pictures],
        credits=CreditsView(held=0 if final else row.credits_each * row.picture_count, captured=row.credits_captured),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        ends_by=row.expires_at,
    )


def figurine(platform: Platform, row: FigurineRow, doom: Doom | None) -> FigurineView:
    expires_at = platform.images.expiry(platform.clock.now(), doom.due_at if doom else None)
    return FigurineView(
        id=row.id,
        generation_id=row.generation_id,
        width=row.width,
        height=row.height,
        media_type=row.media_type,
        created_at=row.created_at,
        expires_at=doom.due_at if doom else None,
        retention=f"deleted by the rule {doom.rule}" if doom else KEPT,
        images={size: platform.images.url(row.brand_id, "figurines", row.id, size, expires_at) for size in SIZES},
        images_expire_at=expires_at,
    )
