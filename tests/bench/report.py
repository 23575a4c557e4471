"""What a measurement reports."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One row of the table."""

    what: str
    measured: str
    bar: str
    met: bool
    how: str


def at_most(what: str, value: float, bar: float, how: str, unit: str = "×") -> Figure:
    return Figure(what, f"{value:.2f} {unit}", f"≤ {bar:g} {unit}", value <= bar, how)


def at_least(what: str, value: float, bar: float, how: str, unit: str = "×") -> Figure:
    return Figure(what, f"{value:.2f} {unit}", f"≥ {bar:g} {unit}", value >= bar, how)
