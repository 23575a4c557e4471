"""Errors as RFC 9457 problem documents: one table from codes to statuses, and the shape clients can match on."""

from __future__ import annotations

import logging
from math import ceil
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from statuette import errors
from statuette.kernel.db.errors import SerializationFailure
from statuette.kernel.domain.consent.service import ConsentRequired
from statuette.kernel.domain.credits.errors import DebtOutstanding, InsufficientCredits
from statuette.kernel.domain.generations.budget import DailyCeilingReached
from statuette.kernel.domain.statements.service import StatementsMissing
from statuette.kernel.egress import CallTimedOut, CircuitOpen
from statuette.kernel.http.body import RequestTooLarge, SenderTooSlow
from statuette.kernel.idempotency.once import IdempotencyKeyReused
from statuette.kernel.permit import PermitRefused
from statuette.kernel.pixels import errors as pixels
from statuette.ports.keys import KeyStoreUnavailable
from statuette.ports.mail import MailUnavailable
from statuette.ports.payment import (
    GatewayMisconfigured,
    NotOffered,
    PaymentRefused,
    PaymentUnavailable,
    UnknownReference,
)
from statuette.ports.storage import StorageUnavailable

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"

# The nearest class along an error's bases decides.
_STATUS: dict[type[errors.StatuetteError], int] = {
    errors.InvalidInput: 400,
    errors.Unauthenticated: 401,
    InsufficientCredits: 402,
    DebtOutstanding: 402,
    errors.Forbidden: 403,
    ConsentRequired: 403,
    PermitRefused: 403,
    StatementsMissing: 403,
    errors.NotFound: 404,
    UnknownReference: 404,
    SenderTooSlow: 408,
    errors.Conflict: 409,
    PaymentRefused: 409,
    NotOffered: 409,
    RequestTooLarge: 413,
    pixels.ImageTooLarge: 413,
    pixels.UnsupportedImageFormat: 415,
    pixels.ImageTruncated: 422,
    pixels.ImageTooManyPixels: 422,
    pixels.ImageTooSmall: 422,
    pixels.ImageEmpty: 422,
    pixels.ImageTooDemanding: 422,
    IdempotencyKeyReused: 422,
    errors.RateLimited: 429,
    DailyCeilingReached: 503,
    errors.Unavailable: 503,
    StorageUnavailable: 503,
    MailUnavailable: 503,
    KeyStoreUnavailable: 503,
    PaymentUnavailable: 503,
    GatewayMisconfigured: 503,
    CallTimedOut: 503,
    CircuitOpen: 503,
    SerializationFailure: 503,
    errors.StatuetteError: 500,
}
_FRAMEWORK_CODES = {
    400: "invalid_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
    415: "unsupported_media_type",
    500: "internal_error",
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error. Match on `code`; `retryable` says whether the same request may succeed later; prose may change."""

    type: str
    title: str
    status: int
    code: str
    retryable: bool
    request_id: str
    detail: str = ""
    cure: str | None = None
    errors: list[dict[str, str]] = []
    attributes: dict[str, Any] = {}


def status_of(error: errors.StatuetteError) -> int:
    for base in type(error).__mro__:
        if base in _STATUS:
            return _STATUS[base]
    return 500


def problem_of(error: Exception, request_id: str) -> Problem:
    """The document for any error; one that nobody foresaw says nothing of its inside."""
    if isinstance(error, RecursionError):
        # Nothing of ours recurses but the decoder of bodies.
        error = errors.InvalidInput("The body is nested too deeply.")
    if isinstance(error, errors.StatuetteError):
        status = status_of(error)
        if status == 500:
            return _unforeseen(request_id)
        return Problem(
            type=f"urn:statuette:problem:{error.code}",
            title=type(error).summary,
            status=status,
            code=error.code,
            retryable=error.retryable,
            request_id=request_id,
            detail=error.detail,
            cure=error.cure,
            attributes=error.attributes,
        )
    if isinstance(error, HTTPException) and error.status_code != 500:
        code = _FRAMEWORK_CODES.get(error.status_code, "invalid_request")
        details = []
        if isinstance(error, ValidationException) and isinstance(error.extra, list):
            details = [
                {"field": str(item.get("key", "")), "message": str(item.get("message", ""))}
                for item in error.extra
                if isinstance(item, dict)
            ]
        return Problem(
            type=f"urn:statuette:problem:{code}",
            title="The request is not valid." if error.status_code == 400 else error.detail,
            status=error.status_code,
            code=code,
            retryable=error.status_code in (429, 503),
            request_id=request_id,
            detail="" if error.status_code != 400 else _safe(error),
            errors=details,
        )
    return _unforeseen(request_id)


def _safe(error: HTTPException) -> str:
    # msgspec names path and expected type; it never repeats what was sent.
    cause = error.__cause__
    return str(cause) if isinstance(cause, msgspec.MsgspecError) else "The body or a parameter is not valid."


def _unforeseen(request_id: str) -> Problem:
    return Problem(
        type="urn:statuette:problem:internal_error",
        title=errors.StatuetteError.summary,
        status=500,
        code="internal_error",
        retryable=True,
        request_id=request_id,
        cure="Try again; if it stays, give the operator the request id.",
    )


def headers_of(problem: Problem) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    wait = problem.attributes.get("retry_after_seconds")
    if wait is not None or problem.status in (429, 503):
        headers["retry-after"] = str(max(1, ceil(wait or 5)))
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return headers


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's handler of every exception."""
    problem = problem_of(error, request.scope.get("state", {}).get("request_id", ""))
    if problem.status >= 500:
        _log.error("request_failed", exc_info=error, extra={"facts": {"code": problem.code}})
    headers = headers_of(problem)
    if isinstance(error, HTTPException) and error.headers and "allow" in error.headers:
        headers["allow"] = error.headers["allow"]
    return Response(
        content=msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )
