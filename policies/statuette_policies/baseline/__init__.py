"""The pack `baseline`: what every brand promises, whatever else it adds."""

from __future__ import annotations

from statuette.policy import PolicyPack
from statuette_policies.baseline.catalogue import CATALOGUE
from statuette_policies.baseline.egress import EGRESS
from statuette_policies.baseline.notifications import NOTIFICATIONS
from statuette_policies.baseline.retention import RECORDS, STREAMS
from statuette_policies.baseline.rights import RIGHTS
from statuette_policies.baseline.safeguards import SAFEGUARDS
from statuette_policies.promises import PROMISES
from statuette_policies.tested import TESTS

BASELINE = PolicyPack(
    name="baseline",
    version="1",
    source="statuette_policies.baseline",
    catalogue=CATALOGUE,
    rules=(*RECORDS, *STREAMS, *EGRESS, *RIGHTS, *NOTIFICATIONS, *SAFEGUARDS),
    promises=PROMISES,
    tests=TESTS,
)
