"""What an error answer of the API means: google.rpc.Status bodies to outcomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from statuette.ports.image import (
    ModelNotFound,
    Outcome,
    ProviderUnavailable,
    RateLimitedByProvider,
    Rejected,
)

_LONGEST_WAIT = timedelta(days=1)
# Google sends seconds with a day's quota too; it does not come back that soon.
_DAILY_QUOTA_WAIT = timedelta(hours=1)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s?")


def outcome_of_error(status: int, body: Any, headers: Mapping[str, str], model: str) -> Outcome:
    """Never raises, whatever `body` is; passes on none of its free text.

    Args:
        status: of HTTP, not 200.
        body: the decoded JSON, or whatever else came.
    """
    details = _details(body)
    wait = _retry_after(details, headers)
    match status:
        case 400 | 401 | 402 | 403:
            return _refusal(status, body, details)
        case 404:
            return ModelNotFound(model)
        case 413:
            return Rejected("request_too_large")
        case 429:
            if _is_daily(details):
                wait = max(wait or _DAILY_QUOTA_WAIT, _DAILY_QUOTA_WAIT)
            return RateLimitedByProvider(retry_after=wait)
        case 500:
            return ProviderUnavailable("internal_error", retry_after=wait)
        case 503:
            return ProviderUnavailable("overloaded", retry_after=wait)
        case 408 | 499 | 502 | 504:
            # Somebody on the way gave up; the model may have gone on.
            return ProviderUnavailable(f"http_{status}", retry_after=wait, possibly_charged=True)
    if 300 <= status < 400:
        # Following would hand the key and the photo to another address.
        return Rejected("redirected", operator_fault=True)
    if 400 <= status < 500:
        return Rejected(f"http_{status}")
    return ProviderUnavailable(f"http_{status}", retry_after=wait, possibly_charged=True)


def _refusal(status: int, body: Any, details: list[dict[str, Any]]) -> Rejected:
    reasons = {detail.get("reason") for detail in details if isinstance(detail.get("reason"), str)}
    if reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"}:
        return Rejected("invalid_api_key", operator_fault=True)
    if status == 401:
        return Rejected("unauthenticated", operator_fault=True)
    if status == 402:
        return Rejected("payment_required", operator_fault=True)
    if status == 403:
        return Rejected("permission_denied", operator_fault=True)
    if _error(body).get("status") == "FAILED_PRECONDITION":  # billing is off, or the region is not served
        return Rejected("failed_precondition", operator_fault=True)
    return Rejected("invalid_argument")


def _error(body: Any) -> dict[str, Any]:
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _details(body: Any) -> list[dict[str, Any]]:
    details = _error(body).get("details")
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _retry_after(details: list[dict[str, Any]], headers: Mapping[str, str]) -> timedelta | None:
    """The delay of RetryInfo, else of the header; at most a day; None when neither can be read."""
    told = [detail.get("retryDelay") for detail in details if str(detail.get("@type", "")).endswith(".RetryInfo")]
    for text in (*told, headers.get("retry-after")):
        if isinstance(text, str) and (seconds := _SECONDS.fullmatch(text)):
            return min(timedelta(seconds=float(seconds[1])), _LONGEST_WAIT)
    return None


def _is_daily(details: list[dict[str, Any]]) -> bool:
    violations = (violation for detail in details for violation in _list(detail.get("violations")))
    return any("PerDay" in str(violation.get("quotaId")) for violation in violations if isinstance(violation, dict))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
