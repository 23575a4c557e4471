"""The papers that whoever answers for people's data has to have, rendered from the policy in force and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from statuette.policy.notice import Issuer
from statuette.policy.pack import EffectivePolicy
from statuette.policy.papers.agreement import agreement
from statuette.policy.papers.model import Held, Paper, as_html, as_markdown
from statuette.policy.papers.processors import ProcessorChange, processors
from statuette.policy.papers.record import record
from statuette.policy.papers.retention import retention

__all__ = ["Held", "Paper", "PaperKind", "ProcessorChange", "as_html", "as_markdown", "paper"]


class PaperKind(StrEnum):
    """Which paper."""

    record = "record"
    """Record of processing activities (GDPR Art. 30(1))."""
    agreement = "agreement"
    """Data processing agreement (GDPR Art. 28(3)) between who answers for the brand and who runs the platform."""
    processors = "processors"
    """The list of processors, with what has changed in it."""
    retention = "retention"
    """The retention schedule (740 ILCS 14/15(a) among others)."""


def paper(
    kind: PaperKind,
    policy: EffectivePolicy,
    issuer: Issuer,
    held: Iterable[Held],
    *,
    changes: Iterable[ProcessorChange] = (),
    locale: str = "en",
) -> Paper:
    """Args:
        held: what there is by dataset.
        changes: of the list of processors, newest first.

    Raises:
        ConfigurationError: a language that a pack does not speak.
    """
    datasets = tuple(held)
    if kind is PaperKind.record:
        return record(policy, issuer, datasets, locale)
    if kind is PaperKind.agreement:
        return agreement(policy, issuer, locale)
    if kind is PaperKind.processors:
        return processors(policy, issuer, tuple(changes), locale)
    return retention(policy, issuer, datasets, locale)
