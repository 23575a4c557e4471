"""The route behind signed addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import MediaType, Request, Response, get, head
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream

from statuette.ports.storage import InvalidKey, ObjectNotFound
from statuette_local.storage import LocalStorage, OpenObject

_CHUNK_BYTES = 262_144
_MAX_EXPIRES_DIGITS = 12


def object_routes(storage: LocalStorage) -> Sequence[Any]:
    """Handlers for GET and HEAD of `/{key}`. Public: the signature is the credential.

    Malformed, forged, expired and absent are not told apart: each is 404.
    """

    async def granted(request: Request[Any, Any, Any], path: str) -> tuple[OpenObject, str, dict[str, str]]:
        key = path.removeprefix("/")
        expires_text = request.query_params.get("expires", "")
        media_type = request.query_params.get("type", "")
        signature = request.query_params.get("signature", "")
        if not (expires_text.isascii() and expires_text.isdecimal() and len(expires_text) <= _MAX_EXPIRES_DIGITS):
            raise NotFoundException()
        expires = int(expires_text)
        left_seconds = expires - storage.clock.now().timestamp()
        if not storage.signer.holds(key, media_type, expires, signature) or left_seconds <= 0:
            raise NotFoundException()
        try:
            opened = await storage.open(key)
        except (InvalidKey, ObjectNotFound):
            raise NotFoundException() from None
        headers = {
            "Content-Length": str(opened.info.size_bytes),
            "Cache-Control": f"private, max-age={int(left_seconds)}",
            # Were the bytes ever read as a document, it could run nothing and would have no origin.
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        return opened, media_type, headers

    @get("/{path:path}", opt={"public": True}, include_in_schema=False)
    async def read_object(request: Request[Any, Any, Any], path: FromPath[str]) -> Stream:
        opened, media_type, headers = await granted(request, path)
        return Stream(opened.chunks(_CHUNK_BYTES), media_type=media_type, headers=headers)

    @head("/{path:path}", opt={"public": True}, include_in_schema=False)
    async def head_object(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[None]:
        opened, media_type, headers = await granted(request, path)
        opened.close()
        # Litestar would try to encode "nothing" as an image; as text it is no bytes, and the header has the last word.
        return Response(None, media_type=MediaType.TEXT, headers=headers | {"Content-Type": media_type})

    return [read_object, head_object]
