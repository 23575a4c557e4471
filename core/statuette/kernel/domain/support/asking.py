"""A question as it arrives: as JSON, or as a form with what is attached."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.openapi.spec import Example, OpenAPIMediaType, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.openapi.spec.operation import Operation

from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.support.attachments import MOST, PICTURE_BYTES
from statuette.kernel.domain.support.schemas import QuestionBody
from statuette.kernel.http.body import RequestTooLarge
from statuette.kernel.http.multipart import FormFile, read_files
from statuette.kernel.http.principal import Principal
from statuette.kernel.idempotency.once import Once
from statuette.kernel.platform import Platform

_FIELD_BYTES = 16_000  # 4,000 characters, as long as they get
_EXAMPLE = {"subject": "Three arms", "message": "My figurine has three arms. What can I do?", "category": "pictures"}


class Asked(msgspec.Struct, frozen=True):
    """A request that asks.

    Attributes:
        once: its idempotency key, if it has one, bound to its caller, route and content.
    """

    body: QuestionBody
    files: list[FormFile]
    once: Once | None

    def __repr__(self) -> str:
        return f"Asked({len(self.files)} files)"


async def read_question(
    request: Request[Any, Any, Any], platform: Platform, brand: LoadedBrand, principal: Principal
) -> Asked:
    """Raises `InvalidForm`, `ImageTooLarge`, `RequestTooLarge`, `ValidationException`, `InvalidIdempotencyKey`."""
    kind = request.headers.get("content-type", "")
    files: list[FormFile] = []
    if kind.startswith("multipart/"):
        form = await read_files(
            request.stream(),
            kind,
            file_field="attachment",
            max_bytes=PICTURE_BYTES,
            max_field_bytes=_FIELD_BYTES,
            cure="Send multipart/form-data with the question's fields and files named `attachment`, or JSON.",
        )
        # A field of a page's form that was left empty is there all the same.
        fields, files = {name: value for name, value in form.fields.items() if value}, form.files
        body = _checked(lambda: msgspec.convert(fields, QuestionBody))
        digests = [(file.media_type, hashlib.sha256(file.data).hexdigest()) for file in files]
        content = msgspec.json.encode((sorted(fields.items()), digests))
    else:
        content = await request.body()
        if len(content) > platform.settings.request_body_bytes:
            raise RequestTooLarge(max_bytes=platform.settings.request_body_bytes)
        body = _checked(lambda: msgspec.json.decode(content, type=QuestionBody))
    key = request.headers.get("idempotency-key")
    if key is None:
        return Asked(body, files, None)
    once = Once(
        brand_id=brand.id,
        principal=principal.account_id or principal.id,
        route=f"{request.method} {request.url.path}",
        key=key,
        body=content,
    )
    return Asked(body, files, once)


def _checked(read: Any) -> QuestionBody:
    try:
        body: QuestionBody = read()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValidationException("The body is not valid.") from error
    return body


class AskOperation(Operation):
    """Describes both forms of a question, which are not the framework's to parse."""

    def __post_init__(self) -> None:
        fields = {
            "subject": Schema(type=OpenAPIType.STRING, min_length=1, max_length=150),
            "message": Schema(type=OpenAPIType.STRING, min_length=1, max_length=4000),
            "category": Schema(
                type=OpenAPIType.STRING,
                enum=["account", "credits", "pictures", "privacy", "trouble", "other"],
                default="other",
            ),
            "email": Schema(
                type=OpenAPIType.STRING, description="Where the answer is sent. Without an account, and only then."
            ),
            "locale": Schema(type=OpenAPIType.STRING, description="Of letters, without an account.", default="en"),
        }
        files = Schema(
            type=OpenAPIType.ARRAY,
            max_items=MOST,
            items=Schema(type=OpenAPIType.STRING, content_encoding="binary"),
            description="Pictures, 5 MiB each, and texts (`text/plain`, UTF-8, 256 KiB). Their names are not kept.",
        )
        wanted = ["subject", "message"]
        examples: dict[str, Any] = {
            "question": Example(summary="A question", value={**_EXAMPLE, "email": "ada@example.org"})
        }
        self.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(
                    schema=Schema(type=OpenAPIType.OBJECT, required=wanted, properties=dict(fields)), examples=examples
                ),
                "multipart/form-data": OpenAPIMediaType(
                    schema=Schema(type=OpenAPIType.OBJECT, required=wanted, properties={**fields, "attachment": files}),
                    examples=examples,
                ),
            },
        )
