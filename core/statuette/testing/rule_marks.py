"""Which tests stand behind which rule, read from their marks without running anything.

    @pytest.mark.rule("voice.keep")
    async def test_a_recording_is_gone_after_an_hour(...): ...

says that the test goes red when nothing carries `voice.keep` out. A pack names them in `PolicyPack.tests`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def marked(folder: Path, root: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Rule → the tests below `folder` that are marked with it, as `tests/test_x.py::test_y` from `root` on, sorted."""
    found: dict[str, set[str]] = {}
    for file in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for test, rules in _marks(tree):
            for rule in rules:
                found.setdefault(rule, set()).add(f"{file.relative_to(root or folder).as_posix()}::{test}")
    return {rule: tuple(sorted(tests)) for rule, tests in sorted(found.items())}


def _marks(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    everywhere = [
        rule
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "pytestmark" for target in node.targets)
        for rule in _rules_in(node.value)
    ]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            rules = everywhere + [rule for mark in node.decorator_list for rule in _rules_in(mark)]
            if rules:
                yield node.name, rules


def _rules_in(mark: ast.expr) -> Iterator[str]:
    for node in ast.walk(mark):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "rule":
            yield from (
                each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
