"""The form of `brands/*.toml`, and reading one. Whatever is wrong is named by file, line and field."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from statuette.errors import ConfigurationError
from statuette.kernel.domain.brands.config import (
    BrandConfig,
    Children,
    Controller,
    Limits,
    Mode,
    StylePrice,
    Terms,
    nobody_answers,
)
from statuette.kernel.toml_source import TomlSource, convert, read_toml, shown_path
from statuette.policy import BrandChoice, Period
from statuette.values import CostMicros

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*|\[[0-9a-f:]+\]"
)
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_MICROS = 1_000_000

Count = Annotated[int, Meta(ge=1, le=100_000)]
PriceInCredits = Annotated[int, Meta(ge=0, le=1_000_000)]


class StyleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A style at a price of the brand's own."""

    slug: str
    credits: PriceInCredits | None = None


class LimitsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Per account; `count_max` is the most pictures in one job."""

    uploads_per_hour: Count = 60
    generations_per_hour: Count = 60
    generations_in_flight: Count = 4
    count_max: Annotated[int, Meta(ge=1, le=16)] = 4


class CeilingTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money in decimal writing: `{ currency = "USD", amount = "5.00" }`."""

    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    amount: str


class ControllerTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and contact of who answers for people's data, and the authority they may complain to."""

    name: Annotated[str, Meta(min_length=1)]
    contact: Annotated[str, Meta(min_length=1)]
    authority: str = ""


class TermsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the terms of use can be read, and their version: another one is accepted anew."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s\x00-\x20{}]+$", max_length=500)]
    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


class BrandFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A brand as its operator writes it."""

    slug: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,39}$")]
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    models: Annotated[list[str], Meta(min_length=1)]
    styles: Annotated[list[str | StyleEntry], Meta(min_length=1)]
    daily_cost_ceiling: CeilingTable
    mode: Mode = "test"
    hosts: list[str] = []
    cors_origins: list[str] = []
    locale: Annotated[str, Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    limits: LimitsTable = LimitsTable()
    adults_only: bool = True
    children_depicted: Children | None = None
    mail_sender: str | None = None
    cancel_charges: Literal["never", "after_start"] = "never"
    policy: dict[str, str] = {}
    policy_packs: list[str] = []
    controller: ControllerTable | None = None
    signup_credits: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    purposes: list[str] = []
    terms: TermsTable | None = None


class ReadBrand(msgspec.Struct, frozen=True):
    """A brand and the file it was read from."""

    config: BrandConfig
    source: TomlSource

    def choices(self) -> tuple[BrandChoice, ...]:
        """The policy table, each entry with its line."""
        return self.config.choices(lambda rule: self.source.at("policy", rule))


StyleCredits = Callable[[str], int | None]
"""The style's own price, or None when no loaded plugin offers it."""


def read_brand(path: Path, style_credits: StyleCredits) -> ReadBrand:
    """Read a file.

    Raises:
        ConfigurationError: with file, line and field.
    """
    source = read_toml(path)
    form = convert(source, BrandFile)
    config = BrandConfig(
        slug=form.slug,
        title=form.title,
        mode=form.mode,
        hosts=_hosts(source, form),
        cors_origins=_origins(source, form),
        locale=form.locale,
        models=_once(source, "models", form.models),
        styles=_styles(source, form, style_credits),
        limits=msgspec.convert(form.limits, Limits, from_attributes=True),
        daily_cost_ceiling=_ceiling(source, form.daily_cost_ceiling),
        adults_only=form.adults_only,
        mail_sender=_sender(source, form),
        cancel_charges=form.cancel_charges,
        policy={rule: str(_period(source, rule, text)) for rule, text in form.policy.items()},
        controller=msgspec.convert(form.controller, Controller | None, from_attributes=True),
        signup_credits=form.signup_credits,
        purposes=_once(source, "purposes", form.purposes),
        policy_packs=_once(source, "policy_packs", form.policy_packs),
        terms=msgspec.convert(form.terms, Terms | None, from_attributes=True),
        # Whoever admits people under age cannot refuse pictures of them.
        children_depicted=form.children_depicted or ("refused" if form.adults_only else "guardian"),
    )
    if nobody_answers(config):
        raise wrong(
            source,
            ("mode",),
            "A live brand says who answers for people's data.",
            'Add [controller] with `name = "…"`, `contact = "…"` and `authority = "…"`.',
        )
    return ReadBrand(config, source)


def wrong(source: TomlSource, path: tuple[str | int, ...], reason: str, cure: str | None = None) -> ConfigurationError:
    return ConfigurationError(f"{source.at(*path)}: {shown_path(path)}: {reason}", cure=cure)


def _once(source: TomlSource, field: str, items: list[str]) -> tuple[str, ...]:
    for position, item in enumerate(items):
        if item in items[:position]:
            raise wrong(source, (field, position), f"{item!r} is named twice.")
    return tuple(items)


def _hosts(source: TomlSource, form: BrandFile) -> tuple[str, ...]:
    for position, host in enumerate(form.hosts):
        if not _HOST.fullmatch(host):
            raise wrong(
                source,
                ("hosts", position),
                f"{host!r} is not a host name.",
                "Small letters, no scheme, no port; other scripts in their xn-- form.",
            )
    return _once(source, "hosts", form.hosts)


def _origins(source: TomlSource, form: BrandFile) -> tuple[str, ...]:
    for position, origin in enumerate(form.cors_origins):
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}" or "@" in origin:
            raise wrong(
                source, ("cors_origins", position), f"{origin!r} is not an origin.", "For example: https://shop.example"
            )
        if not _HOST.fullmatch(re.sub(r":\d{1,5}$", "", parts.netloc)):
            raise wrong(source, ("cors_origins", position), f"{origin!r} names no host; `*` is not possible.")
    return _once(source, "cors_origins", form.cors_origins)


def _styles(source: TomlSource, form: BrandFile, style_credits: StyleCredits) -> tuple[StylePrice, ...]:
    prices: dict[str, StylePrice] = {}
    for position, item in enumerate(form.styles):
        entry = StyleEntry(item) if isinstance(item, str) else item
        own = style_credits(entry.slug)
        if own is None:
            raise wrong(
                source,
                ("styles", position),
                f"No loaded plugin offers the style {entry.slug!r}.",
                "`statuette plugins` lists those on offer.",
            )
        if entry.slug in prices:
            raise wrong(source, ("styles", position), f"{entry.slug!r} is named twice.")
        prices[entry.slug] = StylePrice(entry.slug, own if entry.credits is None else entry.credits)
    return tuple(prices.values())


def _ceiling(source: TomlSource, table: CeilingTable) -> CostMicros:
    try:
        micros = Decimal(table.amount) * _MICROS
        if micros != int(micros) or not 0 <= micros < 10**15:
            raise ValueError
    except (InvalidOperation, ValueError, OverflowError):
        raise wrong(
            source,
            ("daily_cost_ceiling", "amount"),
            f"{table.amount[:40]!r} is not an amount of money.",
            'For example: amount = "5.00"',
        ) from None
    return CostMicros(table.currency, int(micros))


def _sender(source: TomlSource, form: BrandFile) -> str:
    if form.mail_sender is None:
        name = re.sub(r'[\x00-\x1f"\\<>]', " ", form.title)
        return f'"{name}" <no-reply@{form.hosts[0] if form.hosts else "localhost"}>'
    _, address = parseaddr(form.mail_sender)
    if not _ADDRESS.fullmatch(address) or not form.mail_sender.isprintable():
        raise wrong(
            source,
            ("mail_sender",),
            f"{form.mail_sender[:80]!r} is not a sender.",
            'For example: mail_sender = "Demo <hello@shop.example>"',
        )
    return form.mail_sender


def _period(source: TomlSource, rule: str, text: str) -> Period:
    """The short form that operators write, or ISO 8601, which alone knows months."""
    try:
        if match := _DURATION.fullmatch(text):
            return Period(**{_UNITS[match.group(2)]: int(match.group(1))})
        return Period.parse(text)
    except ValueError:
        raise wrong(
            source,
            ("policy", rule),
            f"{text[:40]!r} is not a time.",
            "For example: 30s, 45m, 1h, 24h, 7d, or P6M for six months.",
        ) from None
