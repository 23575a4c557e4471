"""What a brand is, once its file is read and checked. Stored as canonical JSON in the brand's row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

import msgspec

from statuette.errors import ConfigurationError
from statuette.policy import BrandChoice, Option, Period
from statuette.policy.enforcers import enforces
from statuette.values import CostMicros

Mode = Literal["test", "live"]
Children = Literal["refused", "guardian"]


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


class Terms(msgspec.Struct, frozen=True):
    """The brand's terms of use. People who accepted another version are asked again."""

    url: str
    version: str


class BrandConfig(msgspec.Struct, frozen=True):
    """One brand.

    Attributes:
        hosts: names the brand answers at, lower case, no port.
        cors_origins: front ends on other origins that may call with credentials.
        models: `provider/model`, preferred first. One that is not on offer now is passed over.
        daily_cost_ceiling: what providers may cost a day.
        cancel_charges: whether a job that had begun is charged when its owner cancels it.
        policy: times by rule, up to what the packs allow, in ISO 8601 (`PT45M`).
        purposes: the optional purposes on offer to people.
        policy_packs: names of packs in force for this brand, beside those of the whole deployment.
        adults_only: whoever makes an account states that they are an adult.
        children_depicted: photos with a child in them are refused, or taken from somebody who may speak for the child.
        terms: what people accept when they make an account.
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
    policy: dict[str, str]
    controller: Controller | None
    signup_credits: int
    purposes: tuple[str, ...] = ()
    policy_packs: tuple[str, ...] = ()
    terms: Terms | None = None
    children_depicted: Children = "refused"

    def canonical(self) -> str:
        """JSON with sorted keys: equal brands are equal texts."""
        return msgspec.json.encode(self, order="deterministic").decode()

    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.canonical().encode()).hexdigest()}"

    @property
    def options(self) -> tuple[Option, ...]:
        """What the brand asks of the policy beyond what is in force for every brand."""
        children = Option.children_refused if self.children_depicted == "refused" else Option.guardians_asked
        return (children, Option.adults_only) if self.adults_only else (children,)

    def choices(self, place: Callable[[str], str] | None = None) -> tuple[BrandChoice, ...]:
        """The policy table for `compile_policy`; `place` says where a rule's time was written, if that is known.

        Raises:
            ConfigurationError: a time that this version cannot read.
        """
        at = place or (lambda rule: f"brand {self.slug}")
        return tuple(
            BrandChoice(rule, _period(after, at(rule)), at(rule)) for rule, after in sorted(self.policy.items())
        )


@enforces("controller.named")
def nobody_answers(config: BrandConfig) -> bool:
    """Whether people's photos would be taken in for real, and nobody named who answers for them."""
    return config.mode == "live" and config.controller is None


def _period(text: str, source: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError:
        raise ConfigurationError(f"{source}: {text[:40]!r} is not a time.") from None


def stored(config: str) -> BrandConfig:
    """A brand out of its row. Raises `msgspec.ValidationError` for a row of another version."""
    return msgspec.json.decode(config, type=BrandConfig)
