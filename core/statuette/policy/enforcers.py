"""Which code carries a rule out, said beside that code.

Rules of retention are carried out by the enforcer and by the sweeper, whatever they say of whichever dataset, and rules of egress
by the egress; these need no word. Whoever carries out any other rule is marked, in the platform or in a plugin:

    @enforces("right.withdrawal")
    async def withdraw(...): ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from statuette.policy.rules import Carry, Egress, Retain, Rule

_Code = TypeVar("_Code", bound=Callable[..., Any])


class Enforcer(msgspec.Struct, frozen=True):
    """A function or method: `statuette.kernel.egress:Egress.call`."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


DEADLINES = Enforcer("statuette.kernel.enforcement.enforcer", "Enforcer.run")
SWEEPS = Enforcer("statuette.kernel.enforcement.enforcer", "Enforcer.sweep")
EGRESS = Enforcer("statuette.kernel.egress", "Egress.call")

_MARKED: dict[str, list[Enforcer]] = {}


def enforces(*rules: str) -> Callable[[_Code], _Code]:
    """Marks what carries these rules out. The function stays as it is."""

    def mark(code: _Code) -> _Code:
        for rule in rules:
            enforcer = Enforcer(code.__module__, code.__qualname__)
            known = _MARKED.setdefault(rule, [])
            if enforcer not in known:
                known.append(enforcer)
        return code

    return mark


def enforcers(rule: Rule) -> tuple[Enforcer, ...]:
    """What carries a rule out, of all that has been imported."""
    marked = tuple(_MARKED.get(rule.id, ()))
    if isinstance(rule, Retain):
        return (*marked, SWEEPS if rule.carry is Carry.sweep else DEADLINES)
    return (*marked, EGRESS) if isinstance(rule, Egress) else marked
