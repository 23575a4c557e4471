"""The promises made to people, in a pack's own words, and how far each is kept by a rule."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class PromiseStatus(StrEnum):
    """How a promise stands. None of these says more than what the pack can vouch for."""

    ruled = "ruled"
    """A rule of the pack says it with all its times; the platform carries the rule out."""
    partly_ruled = "partly_ruled"
    """A rule says a part of it; `remark` names the rest."""
    open = "open"
    """No rule says it yet; `remark` names what is missing."""


class Promise(msgspec.Struct, frozen=True):
    """One promise.

    Attributes:
        id: stable; named in tests, docs and the notice.
        wording: what people are promised.
        rule: id of the rule that says it, or None.
        remark: what is missing, for every status but `ruled`.
    """

    id: str
    wording: str
    rule: str | None
    status: PromiseStatus
    remark: str = ""
