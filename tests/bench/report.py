"""What a measurement reports."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One row of the table.

    Attributes:
        bar: what it has to reach; None if nothing was promised.
        met: whether it does; None without a bar.
    """

    what: str
    measured: str
    bar: str | None
    met: bool | None
    how: str


def at_most(what: str, value: float, bar: float, how: str, unit: str = "×") -> Figure:
    return Figure(what, f"{value:.2f} {unit}", f"≤ {bar:g} {unit}", value <= bar, how)


def at_least(what: str, value: float, bar: float, how: str, unit: str = "×") -> Figure:
    return Figure(what, f"{value:.2f} {unit}", f"≥ {bar:g} {unit}", value >= bar, how)


def without_bar(what: str, value: float, how: str, unit: str = "×") -> Figure:
    return Figure(what, f"{value:.2f} {unit}", None, None, how)
