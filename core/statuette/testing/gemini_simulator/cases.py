"""How a call can end, and the bodies the Gemini API sends for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Case(StrEnum):
    """What the simulator does with one call."""

    success = "success"
    success_marked = "success_marked"
    """The picture carries a C2PA box."""
    multiple_images = "multiple_images"
    thought_image = "thought_image"
    """A draft flagged as a thought comes before the picture."""
    unknown_finish = "unknown_finish"
    """A finish reason of tomorrow, without a picture."""
    blocked_prompt = "blocked_prompt"
    blocked_output = "blocked_output"
    no_image = "no_image"
    text_only = "text_only"
    account_limited = "account_limited"
    empty_body = "empty_body"
    empty_object = "empty_object"
    broken_json = "broken_json"
    wrong_shape = "wrong_shape"
    not_base64 = "not_base64"
    not_a_picture = "not_a_picture"
    """A 'picture' of type text/html."""
    deep_json = "deep_json"
    bad_request = "bad_request"
    invalid_key = "invalid_key"
    unauthenticated = "unauthenticated"
    billing_needed = "billing_needed"
    permission_denied = "permission_denied"
    not_found = "not_found"
    too_large = "too_large"
    rate_limited = "rate_limited"
    rate_limited_bare = "rate_limited_bare"
    """No RetryInfo."""
    daily_quota = "daily_quota"
    internal_error = "internal_error"
    overloaded = "overloaded"
    deadline_exceeded = "deadline_exceeded"
    error_page = "error_page"
    """A load balancer's HTML instead of JSON."""
    redirect = "redirect"
    continuation = "continuation"
    """Asks the client to call, and pay, once more."""
    gzip_bomb = "gzip_bomb"
    """256 MB in a few kilobytes."""
    hang = "hang"
    drip = "drip"
    """A byte every 20 ms, for ever."""
    reset = "reset"
    truncated = "truncated"
    huge = "huge"
    """256 MB, of unannounced length."""
    huge_declared = "huge_declared"
    """256 MB, announced."""


_TYPE = "type.googleapis.com/google.rpc."


def error_body(status: int, code: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    """The error envelope of Google's APIs (google.rpc.Status)."""
    return {"error": {"code": status, "status": code, "message": message, "details": list(details)}}


def _error_info(reason: str) -> dict[str, Any]:
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def _retry_info(delay: str) -> dict[str, Any]:
    return {"@type": f"{_TYPE}RetryInfo", "retryDelay": delay}


def _quota_failure(quota_id: str) -> dict[str, Any]:
    return {"@type": f"{_TYPE}QuotaFailure", "violations": [{"quotaId": quota_id, "quotaValue": "10"}]}


INVALID_KEY = (
    400,
    error_body(
        400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", _error_info("API_KEY_INVALID")
    ),
)

NOT_FOUND = (404, error_body(404, "NOT_FOUND", "The model is not found for this API version."))

ERRORS: dict[Case, tuple[int, dict[str, Any]]] = {
    Case.bad_request: (400, error_body(400, "INVALID_ARGUMENT", "Unable to process input image.")),
    Case.invalid_key: INVALID_KEY,
    Case.unauthenticated: (401, error_body(401, "UNAUTHENTICATED", "The request lacks valid credentials.")),
    Case.billing_needed: (400, error_body(400, "FAILED_PRECONDITION", "Enable billing on your project to go on.")),
    Case.permission_denied: (
        403,
        error_body(403, "PERMISSION_DENIED", "The caller does not have permission.", _error_info("SERVICE_DISABLED")),
    ),
    Case.not_found: NOT_FOUND,
    Case.too_large: (413, error_body(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit.")),
    Case.rate_limited: (
        429,
        error_body(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota.",
            _quota_failure("GenerateRequestsPerMinutePerProjectPerModel"),
            _retry_info("7.5s"),
        ),
    ),
    Case.rate_limited_bare: (429, error_body(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.")),
    Case.daily_quota: (
        429,
        error_body(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota.",
            _quota_failure("GenerateRequestsPerDayPerProjectPerModel"),
            _retry_info("31s"),
        ),
    ),
    Case.internal_error: (500, error_body(500, "INTERNAL", "An internal error has occurred.")),
    Case.overloaded: (503, error_body(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")),
    Case.deadline_exceeded: (504, error_body(504, "DEADLINE_EXCEEDED", "Deadline expired.")),
}


def usage(input_pictures: int, image_tokens: int, thoughts: int = 210, text_tokens: int = 0) -> dict[str, Any]:
    """Token counts as the API reports them: 258 a picture in, 24 for a short prompt."""
    prompt = 258 * input_pictures + 24
    details = [{"modality": "IMAGE", "tokenCount": image_tokens}] if image_tokens else []
    if text_tokens:
        details.append({"modality": "TEXT", "tokenCount": text_tokens})
    return {
        "promptTokenCount": prompt,
        "candidatesTokenCount": image_tokens + text_tokens,
        "candidatesTokensDetails": details,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": prompt + image_tokens + text_tokens + thoughts,
    }


def answer(parts: list[dict[str, Any]], finish: str, counts: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """A GenerateContentResponse with one candidate."""
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0, **extra}
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "simulated", "responseId": "simulated"}
