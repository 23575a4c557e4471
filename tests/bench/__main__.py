"""`make bench`: every figure beside its bar, as ratios measured in one run where a baseline exists.

    python -m tests.bench [--json] [WORD …]

Words choose the modules whose names contain one of them. The exit code is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sys
from collections.abc import Iterator, Sequence

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

import tests.bench
from tests.bench.report import Figure

_MET = {True: "yes", False: "NO", None: "-"}


class Report(msgspec.Struct, frozen=True):
    """A run, as `--json` prints it."""

    cores: int | None
    python: str
    figures: list[Figure]

    @property
    def exit_code(self) -> int:
        return int(any(figure.met is False for figure in self.figures))

    def table(self) -> Table:
        table = Table(title=f"{self.cores} cores, Python {self.python}", title_justify="left")
        for column in ("what", "measured", "bar", "met", "how it was taken"):
            table.add_column(column, overflow="fold")
        for figure in self.figures:
            table.add_row(figure.what, figure.measured, figure.bar or "no bar", _MET[figure.met], figure.how)
        return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure, each figure beside its bar.")
    parser.add_argument("words", nargs="*", metavar="WORD", help="parts of names of modules (default: all)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="the figures as one JSON document")
    arguments = parser.parse_args()
    console = Console(stderr=arguments.as_json)
    figures: list[Figure] = []
    for module in _chosen(arguments.words):
        console.print(f"measuring {module.removeprefix('bench_')} …", style="dim")
        measured = uvloop.run(importlib.import_module(f"tests.bench.{module}").measure())
        for figure in measured:  # all of it takes long; what is known is not kept back
            console.print(f"  {figure.what}: {figure.measured}", highlight=False)
        figures += measured
    report = Report(os.cpu_count(), platform.python_version(), figures)
    if arguments.as_json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        console.print(report.table())
    return report.exit_code


def _chosen(words: Sequence[str]) -> Iterator[str]:
    for name in sorted(found.name for found in pkgutil.iter_modules(tests.bench.__path__)):
        if name.startswith("bench_") and (not words or any(word in name for word in words)):
            yield name


if __name__ == "__main__":
    sys.exit(main())
