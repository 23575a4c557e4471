"""The first-party policy packs, as one plugin."""

from __future__ import annotations

from collections.abc import Sequence

from statuette import Plugin, hookimpl
from statuette.policy import PolicyPack
from statuette_policies.baseline import BASELINE
from statuette_policies.promises import PROMISES, Promise, PromiseStatus

__all__ = ["BASELINE", "PROMISES", "PoliciesPlugin", "Promise", "PromiseStatus", "plugin"]


class PoliciesPlugin(Plugin):
    name = "policies"
    version = "0.1.0"
    requires = ">=0.1,<0.2"

    @hookimpl
    def policy_packs(self) -> Sequence[PolicyPack]:
        return (BASELINE,)


plugin = PoliciesPlugin()
