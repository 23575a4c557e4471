"""Providers as part of the policy: who is plugged in receives data, so whoever it is belongs to what is in force."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from statuette.policy.catalogue import Catalogue
from statuette.policy.pack import PolicyPack
from statuette.ports.processor import Processor

NAME = "providers"


def pack_of(processors: Iterable[Processor]) -> PolicyPack:
    """A pack that declares them. Two providers of one vendor (one id) are one processor, with all that either declares."""
    by_id: dict[str, Processor] = {}
    for processor in sorted(processors, key=lambda each: (each.id, each.name)):
        known = by_id.get(processor.id)
        by_id[processor.id] = _both(known or processor, processor)
    return PolicyPack(NAME, "1", "the loaded providers", Catalogue(processors=tuple(by_id.values())))


def _both(one: Processor, other: Processor) -> Processor:
    return msgspec.structs.replace(
        one,
        purposes=tuple(sorted({*one.purposes, *other.purposes})),
        categories=tuple(sorted({*one.categories, *other.categories})),
        residuals=(*one.residuals, *(kept for kept in other.residuals if kept not in one.residuals)),
        third_party=one.third_party or other.third_party,
        own_use=one.own_use or other.own_use,
    )
