"""Whether each live brand says who answers for it, and gives data to nobody who may use it for purposes of their own."""

from __future__ import annotations

from collections.abc import Sequence

from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand
from statuette.kernel.probes import Checked
from statuette.ports.processor import Processor


class BrandProbes:
    """
    Args:
        processors: who receives data in this deployment.
    """

    def __init__(self, brands: BrandDirectory, processors: Sequence[Processor]) -> None:
        self._brands = brands
        self._processors = tuple(processors)

    async def controllers(self) -> Checked:
        """A live brand's notice names who answers, and where people can complain."""
        live = await self._live()
        for brand in live:
            who = brand.config.controller
            missing = "controller" if who is None else "authority" if not who.authority else None
            if missing is not None:
                return Checked(
                    "controllers",
                    False,
                    f"the brand {brand.slug} names no {missing}",
                    f"Add `{missing}` to [controller] in its file, and apply it."
                    if who
                    else "Add [controller] to its file, and apply it.",
                )
        return Checked("controllers", True, f"{len(live)} live brands looked at")

    async def processors(self) -> Checked:
        """Nobody who receives data of a live brand may use it for purposes of their own."""
        greedy = [each for each in self._processors if each.own_use is not None]
        if greedy and await self._live():
            return Checked(
                "processors",
                False,
                f"{greedy[0].id}: {greedy[0].own_use}",
                "Change that at the provider, or keep the brands in test mode.",
            )
        return Checked("processors", True, "no live brand gives data to whoever may use it for themselves")

    async def _live(self) -> list[LoadedBrand]:
        await self._brands.fresh()
        return [brand for brand in self._brands.loaded() if brand.config.mode == "live"]
