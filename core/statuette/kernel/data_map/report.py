"""What a look at the whole installation found: every gap by name, with its owner and a cure."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Gap(StrEnum):
    """A kind of gap; stable names for scripts."""

    column_unclassified = "column_unclassified"
    column_unknown = "column_unknown"
    prefix_malformed = "prefix_malformed"
    object_unclassified = "object_unclassified"
    cache_key_unclassified = "cache_key_unclassified"
    cache_key_lasts = "cache_key_lasts"
    attribute_unclassified = "attribute_unclassified"
    category_unknown = "category_unknown"
    category_without_rule = "category_without_rule"
    purpose_unknown = "purpose_unknown"
    rule_without_enforcer = "rule_without_enforcer"
    rule_without_sentence = "rule_without_sentence"
    rule_without_test = "rule_without_test"


class Problem(msgspec.Struct, frozen=True):
    """One gap.

    Attributes:
        subject: what has it: `upload.sha256`, `voice.keep`.
        owner: the plugin that brought it, or `statuette`.
        where: file and line, where known.
    """

    gap: Gap
    subject: str
    owner: str
    message: str
    cure: str
    where: str = ""


class ByHand(msgspec.Struct, frozen=True):
    """A rule that the operator carries out."""

    rule: str
    pack: str
    sentence: str


class Looked(msgspec.Struct, frozen=True):
    """How much was looked at."""

    columns: int
    prefixes: int
    cache_keys: int
    attributes: int
    categories: int
    rules: int


class Report(msgspec.Struct, frozen=True):
    """Attributes:
    not_looked_at: what could not be asked, and why.
    """

    looked_at: Looked
    problems: tuple[Problem, ...]
    by_hand: tuple[ByHand, ...]
    not_looked_at: tuple[str, ...] = ()
