"""The tables of a sizing in a page of the documentation, between two markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.simulation.grids import Grid, grids
from tests.simulation.sizing import Sizing

BEGIN, END = "<!-- simulated: begin -->", "<!-- simulated: end -->"


def write(path: Path, sizing: Sizing) -> None:
    """Raises `ValueError` if the page has no markers."""
    path.write_text(with_tables(path.read_text(), sizing))


def with_tables(page: str, sizing: Sizing) -> str:
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    tables = "\n".join(_markdown(grid) for grid in grids(sizing))
    return f"{before}{BEGIN}\n\n{rests_on(sizing.digest, sizing.seed)}\n\n{tables}\n{END}{after}"


def rests_on(digest: str, seed: int) -> str:
    """The line by which a page is known to be up to date."""
    return f"By `make simulate`, seed {seed}, from measurements and assumptions `{digest}`."


def _markdown(grid: Grid) -> str:
    lines = [f"### {grid.title}", "", _line(grid.columns), _line(["---"] * len(grid.columns))]
    return "\n".join([*lines, *(_line(row) for row in grid.rows), ""])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
