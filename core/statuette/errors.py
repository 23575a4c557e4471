"""One tree of errors.

An error carries a stable `code` that clients may match on, whether trying again can help (`retryable`), and typed
attributes. It knows nothing of HTTP: workers and commands raise the same errors, and `statuette.kernel.http` maps codes
to statuses. Messages hold no personal data, prompt text or secret.
"""

from __future__ import annotations

from typing import Any, ClassVar


class StatuetteError(Exception):
    """The root.

    Attributes:
        code: stable, snake case; part of the API contract.
        retryable: True when the same request may succeed later.
        detail: one sentence on what happened.
        cure: one sentence on what to do, or None.
        attributes: machine-readable extras, safe to show to the caller.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False
    summary: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, detail: str | None = None, *, cure: str | None = None, **attributes: Any) -> None:
        self.detail = detail or self.summary
        self.cure = cure
        self.attributes = attributes
        super().__init__(self.detail if cure is None else f"{self.detail} {cure}")


class InvalidInput(StatuetteError):
    """The request is understood and wrong. Final."""

    code = "invalid_input"
    summary = "The request is not valid."


class NotFound(StatuetteError):
    """There is no such thing here, or it is not yours: the two are not told apart. Final."""

    code = "not_found"
    summary = "There is no such thing."


class Unauthenticated(StatuetteError):
    code = "unauthenticated"
    summary = "Credentials are missing, unknown or expired."


class Forbidden(StatuetteError):
    """Known credentials that lack a scope. Never used for things of others: those are `NotFound`."""

    code = "forbidden"
    summary = "These credentials do not allow this."


class Conflict(StatuetteError):
    code = "conflict"
    summary = "The thing is in a state that does not allow this."


class RateLimited(StatuetteError):
    """Attribute `retry_after_seconds` says when to come back."""

    code = "rate_limited"
    retryable = True
    summary = "Too many requests."


class Unavailable(StatuetteError):
    """A part we need does not answer. Attribute `retry_after_seconds` may say when to come back."""

    code = "unavailable"
    retryable = True
    summary = "A part of the platform is not available."


class ConfigurationError(StatuetteError):
    """A setting, plugin configuration or brand file is missing or wrong: names it, its source and a cure. Final."""

    code = "configuration_error"
    summary = "The configuration is wrong."
