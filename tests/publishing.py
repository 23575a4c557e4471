"""What happens to a site whose policy packs say something else than they did."""

from __future__ import annotations

from typing import Any

import msgspec

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
