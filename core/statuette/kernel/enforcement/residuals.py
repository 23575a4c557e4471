"""What providers keep of a record that is gone here, as they declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from statuette.dataset import Shared
from statuette.evidence import Residual
from statuette.ports.image import ImageProvider
from statuette.ports.processor import Processor


def residuals_of(providers: Mapping[str, ImageProvider], shared: Iterable[Shared]) -> tuple[Residual, ...]:
    """One for each provider that keeps anything. Of one that is no longer plugged in nothing is known, and so no end."""
    found = []
    for each in shared:
        provider = providers.get(each.provider)
        if provider is None:
            found.append(Residual(processor=each.provider, categories=each.categories, until=None))
        elif provider.processor.residuals:
            until = _until(provider.processor, each.at)
            found.append(Residual(processor=provider.processor.id, categories=each.categories, until=until))
    return tuple(found)


def _until(processor: Processor, given_at: datetime) -> datetime | None:
    days = [residual.days for residual in processor.residuals]
    known = [count for count in days if count is not None]
    return given_at + timedelta(days=max(known)) if len(known) == len(days) else None
