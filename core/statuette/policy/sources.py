"""Where a pack's rule is written, for error messages and explanations: looked up when somebody asks, not before.

A rule is data and does not remember its place. So the source text of the pack's loaded modules is searched for the call that
makes a rule of that id. Where there is no text (a frozen program, a pack made by a loop) the pack's own name has to do.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType


def place(source: str, rule_id: str, field: str | None = None) -> str:
    """`statuette_policies.baseline (statuette_policies/baseline/retention.py:21)`, or `source` alone.

    Args:
        source: a pack's `source`: the name of the module or package it is written in.
        field: the line of this argument, if the call has it.
    """
    for module in _modules(source):
        line = _line(module, rule_id, field)
        if line is not None:
            return f"{source} ({_shown(module)}:{line})"
    return source


def _modules(source: str) -> Iterator[ModuleType]:
    for name, module in sorted(sys.modules.items()):
        if (name == source or name.startswith(f"{source}.")) and isinstance(module, ModuleType):
            yield module


def _line(module: ModuleType, rule_id: str, field: str | None) -> int | None:
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _names(node, rule_id):
            given = {keyword.arg: keyword.value.lineno for keyword in node.keywords if keyword.arg is not None}
            return given.get(field, node.lineno) if field is not None else node.lineno
    return None


def _names(call: ast.Call, rule_id: str) -> bool:
    first = [keyword.value for keyword in call.keywords if keyword.arg == "id"] or call.args[:1]
    return any(isinstance(node, ast.Constant) and node.value == rule_id for node in first)


def _shown(module: ModuleType) -> str:
    """The file from the top of its package on: the same on every machine."""
    path = module.__name__.replace(".", "/")
    return f"{path}/__init__.py" if hasattr(module, "__path__") else f"{path}.py"
