"""`make bench`: every figure beside its bar, as ratios measured in one run where a baseline exists."""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
import sys

import uvloop
from rich.console import Console
from rich.table import Table

import tests.bench
from tests.bench.report import Figure


def main() -> None:
    console = Console()
    table = Table(title=f"{os.cpu_count()} cores, Python {platform.python_version()}", title_justify="left")
    for column in ("what", "measured", "bar", "met", "how it was taken"):
        table.add_column(column, overflow="fold")
    only = sys.argv[1:]
    for module in sorted(found.name for found in pkgutil.iter_modules(tests.bench.__path__)):
        if not module.startswith("bench_") or (only and not any(word in module for word in only)):
            continue
        console.print(f"measuring {module.removeprefix('bench_')} …", style="dim")
        figures: list[Figure] = uvloop.run(importlib.import_module(f"tests.bench.{module}").measure())
        for figure in figures:
            table.add_row(figure.what, figure.measured, figure.bar, "yes" if figure.met else "NO", figure.how)
    console.print(table)


if __name__ == "__main__":
    main()
