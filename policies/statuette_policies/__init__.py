"""The first-party policy packs, as one plugin."""

from __future__ import annotations

from collections.abc import Sequence

from statuette import Plugin, hookimpl
from statuette.policy import PolicyPack, Promise, PromiseStatus
from statuette_policies.ai_act import AI_ACT
from statuette_policies.baseline import BASELINE
from statuette_policies.bipa import BIPA
from statuette_policies.ccpa import CCPA
from statuette_policies.gdpr import GDPR
from statuette_policies.minors import MINORS
from statuette_policies.promises import PROMISES

__all__ = [
    "AI_ACT",
    "BASELINE",
    "BIPA",
    "CCPA",
    "GDPR",
    "MINORS",
    "PROMISES",
    "PoliciesPlugin",
    "Promise",
    "PromiseStatus",
    "plugin",
]


class PoliciesPlugin(Plugin):
    name = "policies"
    version = "0.1.0"
    requires = ">=0.1,<0.2"

    @hookimpl
    def policy_packs(self) -> Sequence[PolicyPack]:
        return (BASELINE, GDPR, CCPA, BIPA, AI_ACT, MINORS)


plugin = PoliciesPlugin()
