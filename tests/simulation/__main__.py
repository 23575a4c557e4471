"""`make simulate`: what one machine serves, and what up to a hundred times as much needs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.simulation import page
from tests.simulation.grids import grids
from tests.simulation.sizing import FACTORS, SEED, sized


def main() -> None:
    arguments = _arguments()
    progress = Console(stderr=True)
    sizing = sized(
        seed=arguments.seed,
        factors=[each for each in FACTORS if each < arguments.factor] + [arguments.factor],
        told=lambda text: progress.print(f"simulating {text} …", style="dim", highlight=False),
    )
    if arguments.write:
        page.write(arguments.write, sizing)
    if arguments.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(sizing), indent=2).decode() + "\n")
        return
    console = Console()
    for grid in grids(sizing):
        table = Table(title=grid.title, title_justify="left")
        for column in grid.columns:
            table.add_column(column, overflow="fold")
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)
    console.print(page.rests_on(sizing.digest, sizing.seed), highlight=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--factor", type=int, default=FACTORS[-1], help="how many times as much, at most (default 100)")
    parser.add_argument("--seed", type=int, default=SEED, help="of chance; the same seed gives the same tables")
    parser.add_argument("--json", action="store_true", help="everything, for programs")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into a page, between its markers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
