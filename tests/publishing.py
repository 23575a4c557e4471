"""A brand's first version, and what happens to a site whose policy packs say something else than they did."""

from __future__ import annotations

from typing import Any

import msgspec

from statuette.kernel.domain.notices.service import NothingToPublish, PublishedMeanwhile
from tests.site import Site


async def reword(site: Site, purpose: str, **changes: Any) -> None:
    """Have a newer version of the packs word a purpose differently."""
    packs = []
    for pack in site.platform.brands._packs:
        purposes = tuple(
            msgspec.structs.replace(each, **changes) if each.id == purpose else each for each in pack.catalogue.purposes
        )
        catalogue = msgspec.structs.replace(pack.catalogue, purposes=purposes)
        packs.append(msgspec.structs.replace(pack, catalogue=catalogue))
    site.platform.brands._packs = tuple(packs)
    site.platform.brands._brands.clear()
    await site.platform.brands.refresh()


async def publish_first(site: Site) -> None:
    """Publish what holds from the beginning, as the scheduler does within seconds."""
    while True:
        try:
            await site.platform.publishing.look()
            break
        except (NothingToPublish, PublishedMeanwhile):
            continue  # the scheduler was a moment faster with one of the brands
    await site.platform.brands.refresh()
