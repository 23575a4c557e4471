"""What papers about a brand's policy are made of, besides the policy."""

from __future__ import annotations

import msgspec

from statuette.dataset import Dataset
from statuette.kernel.db.database import Reader
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.notices import service
from statuette.kernel.domain.notices.rendering import issuer
from statuette.kernel.plugins import PluginRegistry
from statuette.policy import EffectivePolicy
from statuette.policy.papers import Held, ProcessorChange

__all__ = ["changes_of", "held_in", "in_use", "issuer"]
_VERSIONS_AT_MOST = 200


def in_use(brand: LoadedBrand, plugins: PluginRegistry) -> EffectivePolicy:
    """The brand's policy with those who receive data under it in this process."""
    return msgspec.structs.replace(brand.policy, processors={each.id: each for each in plugins.processors()})


def held_in(dataset: Dataset) -> Held:
    """What there is in a dataset."""
    return Held(dataset.name, dataset.title, tuple(dataset.categories()), dataset.ended_by)


async def changes_of(reader: Reader, brand_id: str) -> tuple[ProcessorChange, ...]:
    """Every change of the list of processors that was published, newest first."""
    found: list[ProcessorChange] = []
    for row in await service.versions(reader, brand_id, before=2**31 - 1, limit=_VERSIONS_AT_MOST):
        by_processor: dict[str, str] = {}
        for each in await service.differences_of(reader, row.id):
            section, _, rest = each.path.partition(".")
            name, _, field = rest.partition(".")
            if section == "processors":
                kind = each.kind if not field else "changed"
                by_processor[name] = kind if by_processor.get(name, kind) == kind else "changed"
        found += [
            ProcessorChange(row.published_at.date(), row.number, name, kind)
            for name, kind in sorted(by_processor.items())
        ]
    return tuple(found)
