"""Photos over HTTP: take in, look at, save, delete."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency as Injected
from litestar.openapi.spec import Example, OpenAPIMediaType, RequestBody, Schema
from litestar.openapi.spec.operation import Operation
from litestar.params import FromPath, JSONBody, QueryParameter

from statuette.errors import NotFound
from statuette.kernel.db.database import Reader
from statuette.kernel.db.errors import CommitOutcomeUnknown
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.statements.schemas import StatementMade
from statuette.kernel.domain.statements.words import of_uploads
from statuette.kernel.domain.uploads import repository, service
from statuette.kernel.domain.uploads.repository import UploadRow
from statuette.kernel.domain.uploads.schemas import UploadPage, UploadView
from statuette.kernel.enforcement.deadlines import Doom, dooms
from statuette.kernel.http.answers import answer, decode_cursor, encode_cursor
from statuette.kernel.http.headers import language_of
from statuette.kernel.http.multipart import read_form
from statuette.kernel.idempotency.once import Once
from statuette.kernel.platform import Platform


class _UploadOperation(Operation):
    """Describes the streamed form, which the framework does not parse for us."""

    def __post_init__(self) -> None:
        from litestar.openapi.spec.enums import OpenAPIType

        self.request_body = RequestBody(
            required=True,
            content={
                "multipart/form-data": OpenAPIMediaType(
                    schema=Schema(
                        type=OpenAPIType.OBJECT,
                        required=["photo", "statement"],
                        properties={
                            "photo": Schema(
                                type=OpenAPIType.STRING,
                                content_encoding="binary",
                                description="JPEG, PNG, WebP, HEIC, AVIF, GIF (first frame) or TIFF; 20 MiB, 50 megapixels.",
                            ),
                            "statement": Schema(
                                type=OpenAPIType.STRING,
                                enum=["true"],
                                description="That it may be used: the person agreed to what `GET /v1/statements` asks of `upload`.",
                                examples=["true"],
                            ),
                            "statement_digest": Schema(
                                type=OpenAPIType.STRING,
                                description="Of the words that were shown, of `GET /v1/statements`; 409 if others are in force.",
                            ),
                        },
                    ),
                    examples={"portrait": Example(summary="A portrait", value={"statement": "true"})},
                )
            },
        )


class UploadRoutes(Controller):
    path = "/v1/uploads"
    tags = ["Uploads"]

    @post(status_code=201, summary="Upload a photo", operation_class=_UploadOperation)
    async def upload(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
    ) -> Response[bytes]:
        """Take a photo in, with the statement that it may be used. 201 means that it is durable and its deletion is scheduled.

        The photo is decoded, turned upright, shrunk to 2048 pixels and stripped of all metadata; the original is not kept.
        """
        platform.buckets.take(f"uploads:{account_id}", limit=brand.config.limits.uploads_per_hour, window_seconds=3600)
        await platform.uploads.check(brand, account_id)
        form = await read_form(
            request.stream(),
            request.headers.get("content-type", ""),
            max_bytes=platform.settings.max_upload_bytes,
        )
        key = request.headers.get("idempotency-key")
        once = None
        if key is not None:
            once = Once(
                brand_id=brand.id,
                principal=account_id,
                route="POST /v1/uploads",
                key=key,
                body=form.photo,
            )
            try:
                made = await platform.database.run(partial(once.begin, outside_call=True))
            except CommitOutcomeUnknown:
                # The key may be claimed now, for a request that nobody is at.
                await platform.database.run(once.abandon)
                raise
            if made is not None:
                return await _answer(request, platform, brand, account_id, made.resource_id, status=201)
        try:
            upload_id = await platform.uploads.take_in(
                brand,
                account_id,
                statement=form.fields.get("statement") == "true",
                data=form.photo,
                digest=form.fields.get("statement_digest") or None,
                locale=language_of(request),
                once=once,
            )
        except Exception:
            if once is not None:
                await platform.database.run(once.abandon)
            raise
        return await _answer(request, platform, brand, account_id, upload_id, status=201)

    @get(summary="List photos")
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
        before = decode_cursor(cursor, "upl")
        async with platform.database.read() as reader:
            rows = await repository.page(reader, brand.id, account_id, before=before, limit=limit + 1)
            doomed = await dooms(reader, [row.id for row in rows])
        items = [_view(platform, brand, row, doomed.get(row.id)) for row in rows[:limit]]
        return answer(request, UploadPage(items, encode_cursor(rows[limit - 1].id) if len(rows) > limit else None))

    @get("/{upload_id:str}", summary="Read a photo's state")
    async def read(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        upload_id: FromPath[str],
    ) -> Response[bytes]:
        return await _answer(request, platform, brand, account_id, upload_id)

    @put("/{upload_id:str}/saved", summary="Save a photo")
    async def save(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        upload_id: FromPath[str],
    ) -> Response[bytes]:
        """Keep the photo until it is unsaved or deleted."""
        await platform.database.run(
            lambda tx: service.save(
                tx, brand_id=brand.id, account_id=account_id, upload_id=upload_id, policy=brand.policy
            )
        )
        return await _answer(request, platform, brand, account_id, upload_id)

    @delete("/{upload_id:str}/saved", status_code=200, summary="Unsave a photo")
    async def unsave(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        upload_id: FromPath[str],
    ) -> Response[bytes]:
        """Let the photo go again: its clock starts."""
        await platform.database.run(
            lambda tx: service.unsave(
                tx, brand_id=brand.id, account_id=account_id, upload_id=upload_id, policy=brand.policy
            )
        )
        return await _answer(request, platform, brand, account_id, upload_id)

    @put("/{upload_id:str}/statement", summary="State anew that you may use a photo")
    async def state(
        self,
        request: Request[Any, Any, Any],
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        upload_id: FromPath[str],
        data: JSONBody[StatementMade],
    ) -> Response[bytes]:
        """For a photo that says `restate`: the words have changed since it was uploaded."""
        await platform.uploads.state(brand, account_id, upload_id, digest=data.digest, locale=language_of(request))
        return await _answer(request, platform, brand, account_id, upload_id)

    @delete("/{upload_id:str}", status_code=204, summary="Delete a photo")
    async def remove(
        self,
        platform: Injected[Platform],
        brand: Injected[LoadedBrand],
        account_id: Injected[str],
        upload_id: FromPath[str],
    ) -> None:
        """Gone from sight at once, from the store right after. Jobs that still use it are cancelled, unpaid."""
        await platform.database.run(
            lambda tx: service.ask_deletion(tx, brand_id=brand.id, account_id=account_id, upload_id=upload_id)
        )


async def _answer(
    request: Request[Any, Any, Any],
    platform: Platform,
    brand: LoadedBrand,
    account_id: str,
    upload_id: str,
    status: int = 200,
) -> Response[bytes]:
    async with platform.database.read() as reader:
        row, doom = await _read(reader, brand, account_id, upload_id)
    view = _view(platform, brand, row, doom)
    headers = {"location": f"/v1/uploads/{upload_id}"} if status == 201 else {}
    return answer(
        request,
        view,
        status=status,
        headers=headers,
        max_age_seconds=10,
        due_at=doom.due_at if doom else view.image_expires_at,
        now=platform.clock.now(),
    )


async def _read(reader: Reader, brand: LoadedBrand, account_id: str, upload_id: str) -> tuple[UploadRow, Doom | None]:
    row = await repository.get(reader, brand.id, account_id, upload_id)
    if row is None:
        raise NotFound()
    return row, (await dooms(reader, [upload_id])).get(upload_id)


def _view(platform: Platform, brand: LoadedBrand, row: UploadRow, doom: Doom | None) -> UploadView:
    expires_at = platform.images.expiry(platform.clock.now(), doom.due_at if doom else None)
    if doom is not None:
        retention = f"deleted by the rule {doom.rule}"
    else:
        retention = "saved by you" if row.saved_at else "kept while a job uses it"
    return UploadView(
        id=row.id,
        state=row.state,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        saved=row.saved_at is not None,
        restate=not service.is_stated(row, of_uploads(brand.config)),
        created_at=row.created_at,
        expires_at=doom.due_at if doom else None,
        retention=retention,
        image_url=platform.images.url(row.brand_id, "uploads", row.id, "photo", expires_at),
        image_expires_at=expires_at,
    )
