"""The pack `minors`: what changes for a brand that people under age use, or that pictures of children are made at.

It tightens rules of the baseline and has none of its own. Sources:

- photos cannot be saved: 16 CFR § 312.10 (COPPA Rule as amended in 2025), information from children is kept no longer than is
  reasonably necessary for what it was collected for, and not indefinitely
- no marketing: GDPR recital 38, children merit specific protection where their data is used for marketing; Regulation (EU)
  2022/2065 (Digital Services Act) Art. 28(2) for advertising by profile

Whose consent counts, and from which age on (GDPR Art. 8; 16 CFR § 312.5: a parent's, below 13), is the brand's to see to when it
admits people. Providers have terms of their own: an image model that bars users under 18 bars such a brand.
"""

from __future__ import annotations

import msgspec

from statuette.policy import Egress, Exemption, PolicyPack, Retain
from statuette_policies.baseline.egress import EGRESS
from statuette_policies.baseline.retention import RECORDS


def _not_saved(rule: Retain) -> Retain:
    """The baseline's rule without what saving exempts."""
    return msgspec.structs.replace(
        rule, exemptions=tuple(each for each in rule.exemptions if each is not Exemption.saved)
    )


def _nothing_leaves(rule: Egress) -> Egress:
    return msgspec.structs.replace(rule, categories=())


MINORS = PolicyPack(
    name="minors",
    version="1",
    source="statuette_policies.minors",
    rules=(
        *(_not_saved(rule) for rule in RECORDS if Exemption.saved in rule.exemptions),
        *(_nothing_leaves(rule) for rule in EGRESS if rule.purpose == "marketing"),
    ),
)
