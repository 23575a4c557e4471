"""At which brand a drill is done."""

from __future__ import annotations

from statuette.errors import ConfigurationError
from statuette.kernel.domain.brands.directory import BrandDirectory, LoadedBrand


def brand_for(brands: BrandDirectory, slug: str | None) -> LoadedBrand:
    """The brand of that slug, or the only one in test mode. Raises `ConfigurationError`, which names those there are."""
    loaded = {brand.slug: brand for brand in brands.loaded()}
    if slug in loaded:
        return loaded[slug]
    in_test = [brand for brand in loaded.values() if brand.config.mode == "test"]
    if slug is None and len(in_test) == 1:
        return in_test[0]
    what = f"There is no brand {slug!r}."
    if slug is None:
        what = "Which brand is meant?" if in_test else "No brand is in test mode."
    names = ", ".join(f"{name} ({loaded[name].config.mode})" for name in sorted(loaded)) or "none"
    raise ConfigurationError(what, cure=f"Name one with --brand. There are: {names}.")
