"""What applying a file changes, field by field, for an operator to read. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from statuette.kernel.domain.brands.config import BrandConfig


class Change(msgspec.Struct, frozen=True):
    """One field of one brand: `limits.count_max` 4 → 8. `old` is None when it is added, `new` when it is removed."""

    brand: str
    kind: Literal["added", "changed", "removed"]
    field: str
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        if self.kind == "added":
            return f"{self.brand}: + {self.field} = {_shown(self.new)}"
        if self.kind == "removed":
            return f"{self.brand}: - {self.field} = {_shown(self.old)}"
        return f"{self.brand}: ~ {self.field}: {_shown(self.old)} -> {_shown(self.new)}"


def between(old: BrandConfig | None, new: BrandConfig) -> list[Change]:
    """Every difference, in order of the field's name."""
    before = _flat(old) if old is not None else {}
    after = _flat(new)
    changes = []
    for field in sorted({*before, *after}):
        if field not in before:
            changes.append(Change(new.slug, "added", field, None, after[field]))
        elif field not in after:
            changes.append(Change(new.slug, "removed", field, before[field], None))
        elif before[field] != after[field]:
            changes.append(Change(new.slug, "changed", field, before[field], after[field]))
    return changes


def _flat(config: BrandConfig) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(config)
    plain["styles"] = {"order": [style.slug for style in config.styles]} | {
        style.slug: {"credits": style.credits} for style in config.styles
    }
    return _flattened(plain, "")


def _flattened(value: dict[str, Any], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            found |= _flattened(inner, f"{prefix}{key}.")
        elif inner is not None:
            found[f"{prefix}{key}"] = inner
    return found


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
