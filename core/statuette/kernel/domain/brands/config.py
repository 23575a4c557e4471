"""What a brand is, once its file is read and checked. Stored as canonical JSON in the brand's row."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Literal

import msgspec

from statuette.policy.pack import BrandChoice
from statuette.values import CostMicros

Mode = Literal["test", "live"]


class StylePrice(msgspec.Struct, frozen=True):
    """A style on offer and the credits that one picture costs."""

    slug: str
    credits: int


class Limits(msgspec.Struct, frozen=True):
    """Per account; `count_max` per job."""

    uploads_per_hour: int
    generations_per_hour: int
    generations_in_flight: int
    count_max: int


class Controller(msgspec.Struct, frozen=True):
    """Who answers for people's data (GDPR Art. 13): for the notice."""

    name: str
    contact: str
    authority: str = ""


class BrandConfig(msgspec.Struct, frozen=True):
    """One brand.

    Attributes:
        hosts: names the brand answers at, lower case, no port.
        cors_origins: front ends on other origins that may call with credentials.
        models: `provider/model`, preferred first. One that is not on offer now is passed over.
        daily_cost_ceiling: what providers may cost a day.
        cancel_charges: whether a job that had begun is charged when its owner cancels it.
        policy: times by rule that are shorter than the packs' own.
    """

    slug: str
    title: str
    mode: Mode
    hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    locale: str
    models: tuple[str, ...]
    styles: tuple[StylePrice, ...]
    limits: Limits
    daily_cost_ceiling: CostMicros
    adults_only: bool
    mail_sender: str
    cancel_charges: Literal["never", "after_start"]
    policy: dict[str, timedelta]
    controller: Controller | None
    signup_credits: int

    def canonical(self) -> str:
        """JSON with sorted keys: equal brands are equal texts."""
        return msgspec.json.encode(self, order="deterministic").decode()

    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.canonical().encode()).hexdigest()}"

    def choices(self, source: str | None = None) -> tuple[BrandChoice, ...]:
        """The policy table for `compile_policy`; `source` says where it was written, if that is known."""
        return tuple(
            BrandChoice(rule, after, source or f"brand {self.slug}") for rule, after in sorted(self.policy.items())
        )


def stored(config: str) -> BrandConfig:
    """A brand out of its row. Raises `msgspec.ValidationError` for a row of another version."""
    return msgspec.json.decode(config, type=BrandConfig)
