"""Figurines over HTTP: list, read, delete; and the pictures themselves, by signed address."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, delete, get
from litestar.di import NamedDependency as Injected
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect, Stream

from statuette.errors import NotFound
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.figurines import repository, service
from statuette.kernel.domain.figurines.schemas import FigurinePage
from statuette.kernel.domain.figurines.service import FigurineRow
from statuette.kernel.domain.generations import views
from statuette.kernel.domain.generations.schemas import FigurineView
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.enforcement.deadlines import Doom, dooms, visible
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.platform import Platform


class FigurineRoutes(Controller):
    path = "/v1/figurines"
    tags = ["Figurines"]

    @get(summary="List figurines")
    async def listing(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[bytes]:
        """Newest first."""
        before = decode_cursor(cursor, "fig")
        async with platform.database.read() as reader:
            rows = await repository.page(reader, brand.id, account_id, before=before, limit=limit + 1)
            doomed = await dooms(reader, [row.id for row in rows])
        items = [_view(platform, row, doomed.get(row.id)) for row in rows[:limit]]
        return answer(request, FigurinePage(items, encode_cursor(rows[limit - 1].id) if len(rows) > limit else None))

    @get("/{figurine_id:str}", summary="Read a figurine")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        figurine_id: FromPath[str],
    ) -> Response[bytes]:
        async with platform.database.read() as reader:
            row = await service.get(reader, brand.id, account_id, figurine_id)
            doom = (await dooms(reader, [figurine_id])).get(figurine_id)
        view = _view(platform, row, doom)
        return answer(
            request,
            view,
            max_age_seconds=30,
            due_at=view.expires_at or view.images_expire_at,
            now=platform.clock.now(),
        )

    @delete("/{figurine_id:str}", status_code=204, summary="Delete a figurine")
    async def remove(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        figurine_id: FromPath[str],
    ) -> None:
        """Gone from sight at once, from the store right after, in every size."""
        await platform.database.run(
            lambda tx: service.ask_deletion(tx, brand_id=brand.id, account_id=account_id, figurine_id=figurine_id)
        )


@get(
    "/v1/images/{brand_id:str}/{kind:str}/{record_id:str}/{size:str}",
    opt={"public": True, "brandless": True},
    summary="A picture, by signed address",
    tags=["Figurines"],
)
async def image(
    request: Request[Any, Any, Any],
    platform: Injected[Platform],
    brand_id: FromPath[str],
    kind: FromPath[str],
    record_id: FromPath[str],
    size: FromPath[str],
    expires: FromQuery[int],
    signature: Annotated[str, QueryParameter(max_length=64)],
) -> Response[Any]:
    """Serves what the address was signed for, as long as it lasts and the picture is not deleted. Addresses come from the API."""
    now = platform.clock.now()
    left = platform.images.remaining(brand_id, kind, record_id, size, expires, signature, now)
    if left is None:
        raise NotFound("The address has expired or was not made by us.")
    if kind == "figurines":
        async with platform.database.read() as reader:
            row = await service.get(reader, brand_id, None, record_id)
        key, media_type, tag = service.object_key(brand_id, row.id, size), service.media_type(size), row.sha256
    else:
        async with platform.database.read() as reader:
            tag = await reader.value(
                "SELECT sha256 FROM upload WHERE id = :id AND brand_id = :brand_id AND state = 'ready'"
                f" AND {visible('upload')}",
                id=record_id,
                brand_id=brand_id,
                now=reader.now,
            )
        if tag is None:
            raise NotFound()
        key, media_type = uploads.object_key(brand_id, record_id), "image/jpeg"
    headers = {
        "cache-control": f"private, max-age={int(left.total_seconds())}",
        "etag": f'"{tag[:20]}-{size}"',
        "cross-origin-resource-policy": "cross-origin",
        "content-disposition": f'inline; filename="{record_id}.{media_type.removeprefix("image/")}"',
    }
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(content=b"", status_code=304, headers=headers)
    storage = platform.plugins.storage
    if platform.settings.images_delivery == "redirect":
        direct = storage.signed_url(key, media_type=media_type, expires_at=now + left)
        if direct is not None:
            return Redirect(direct, status_code=307, headers={"cache-control": headers["cache-control"]})
    info = await storage.head(key)
    if info is None:
        raise NotFound()
    headers["content-length"] = str(info.size_bytes)
    return Stream(storage.stream(key), media_type=media_type, headers=headers)


def _view(platform: Platform, row: FigurineRow, doom: Doom | None) -> FigurineView:
    return views.figurine(
        platform,
        brand_id=row.brand_id,
        generation_id=row.generation_id,
        figurine_id=row.id,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        created_at=row.created_at,
        due_at=doom.due_at if doom else None,
    )
