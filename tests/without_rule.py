"""Takes one rule's enforcer away: what carries it out does nothing, and everything else goes on.

A test that is marked with the rule then goes red; `tests/integration/rules/test_mutations.py` sees to it that one does.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from statuette.kernel.egress import Egress as Out
from statuette.kernel.enforcement.enforcer import Enforcer
from statuette.kernel.probes import Checked
from statuette.policy import Carry, EffectivePolicy, Egress, Retain, Rule
from statuette.policy.enforcers import DEADLINES, EGRESS, SWEEPS, enforcers
from statuette_policies import AI_ACT, BASELINE, BIPA, CCPA, GDPR, MINORS
from tests.integration.road import faults

OUR_PACKS = (BASELINE, GDPR, CCPA, BIPA, AI_ACT, MINORS)

VARIABLE = "WITHOUT_RULE"
_WELL = Checked("nothing", True, "")
# What a function says that does not look: anything else answers nothing.
_ANSWERS: dict[str, Any] = {
    "statuette.kernel.access.probe:AccessProbe.look": _WELL,
    "statuette.kernel.domain.consent.service:is_live": True,
    "statuette.kernel.domain.generations.views:source_type": "",
    "statuette.kernel.domain.statements.words:about_children": ("", ""),
    "statuette.kernel.domain.uploads.service:is_stated": True,
    "statuette.kernel.domain.usage.service:while_allowed": "1 = 1",
    "statuette.kernel.probes:Probes.log_lines": _WELL,
    "statuette.kernel.probes:Probes.object_store": _WELL,
    "statuette.kernel.probes:Probes.personal_columns": _WELL,
    "statuette.kernel.probes:Probes.queues": _WELL,
    "statuette.kernel.probes:Probes.tls": _WELL,
}


def rule_named(rule_id: str) -> Rule:
    """A rule of one of our packs."""
    return next(rule for pack in OUR_PACKS for rule in pack.rules if rule.id == rule_id)


def take_away(rule: Rule, patch: pytest.MonkeyPatch) -> None:
    """Have nobody carry out that rule."""
    patch.setattr(faults, "WAIT_SECONDS", 2.0)  # what never happens need not be waited for
    if isinstance(rule, Retain):
        _without_sweep(rule, patch) if rule.carry is Carry.sweep else _without_deadline(rule, patch)
    if isinstance(rule, Egress):
        _without_egress(rule, patch)
    for enforcer in enforcers(rule):
        if enforcer not in (DEADLINES, SWEEPS, EGRESS):
            _without_function(enforcer.module, enforcer.name, _ANSWERS.get(str(enforcer)), patch)


def _without_deadline(rule: Retain, patch: pytest.MonkeyPatch) -> None:
    begin = Enforcer._begin

    async def nothing(self: Enforcer, claimed: Any) -> Any:
        begun = await begin(self, claimed)
        return None if begun is not None and begun.deadline.rule == rule.id else begun

    patch.setattr(Enforcer, "_begin", nothing)


def _without_sweep(rule: Retain, patch: pytest.MonkeyPatch) -> None:
    cutoff = Retain.cutoff

    def never(self: Retain, now: datetime) -> datetime:
        return datetime(1, 1, 1, tzinfo=UTC) if self.id == rule.id else cutoff(self, now)

    patch.setattr(Retain, "cutoff", never)


def _without_egress(rule: Egress, patch: pytest.MonkeyPatch) -> None:
    allows, receivers, check = EffectivePolicy.allows_egress, EffectivePolicy.receivers, Out._check

    def anything(self: EffectivePolicy, purpose: str, *more: Any) -> bool:
        return purpose == rule.purpose or allows(self, purpose, *more)

    def anybody(self: EffectivePolicy, purpose: str, *more: Any) -> frozenset[str] | None:
        return None if purpose == rule.purpose else receivers(self, purpose, *more)

    def unchecked(self: Out, processor: Any, permit: Any, purpose: str, *more: Any) -> None:
        if purpose != rule.purpose:
            check(self, processor, permit, purpose, *more)

    patch.setattr(EffectivePolicy, "allows_egress", anything)
    patch.setattr(EffectivePolicy, "receivers", anybody)
    patch.setattr(Out, "_check", unchecked)


def _without_function(module: str, name: str, answer: Any, patch: pytest.MonkeyPatch) -> None:
    owner: Any = importlib.import_module(module)
    *classes, last = name.split(".")
    for each in classes:
        owner = getattr(owner, each)
    code = getattr(owner, last)
    idle = _idle(code, answer)
    if classes:
        patch.setattr(owner, last, idle)
        return
    # Whoever imported it by name has it, too.
    for user in [each for each in sys.modules.values() if isinstance(each, ModuleType)]:
        for known, value in list(vars(user).items()):
            if value is code:
                patch.setattr(user, known, idle)


def _idle(code: Callable[..., Any], answer: Any) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(code):

        async def idle_later(*_: Any, **__: Any) -> Any:
            return answer

        return idle_later

    def idle(*_: Any, **__: Any) -> Any:
        return answer

    return idle
