"""Every dataset there is: the kernel's own, and those of plugins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from statuette.dataset import Dataset
from statuette.kernel.access import dataset as access_dataset
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts import dataset as accounts_dataset
from statuette.kernel.domain.brands import dataset as brands_dataset
from statuette.kernel.domain.consent import dataset as consent_dataset
from statuette.kernel.domain.credits import dataset as credits_dataset
from statuette.kernel.domain.figurines import dataset as figurines_dataset
from statuette.kernel.domain.generations import dataset as generations_dataset
from statuette.kernel.domain.generations.service import Generations
from statuette.kernel.domain.generations.sharing import (
    figurine_shared,
    jobs_of_figurine,
    jobs_of_upload,
    upload_shared,
)
from statuette.kernel.domain.news import dataset as news_dataset
from statuette.kernel.domain.notices import dataset as notices_dataset
from statuette.kernel.domain.rights import dataset as rights_dataset
from statuette.kernel.domain.support import dataset as support_dataset
from statuette.kernel.domain.takedowns import dataset as takedowns_dataset
from statuette.kernel.domain.uploads import dataset as uploads_dataset
from statuette.kernel.domain.usage import dataset as usage_dataset
from statuette.kernel.enforcement.cascade import Cascade
from statuette.kernel.evidence import dataset as evidence_dataset
from statuette.kernel.idempotency import dataset as idempotency_dataset
from statuette.kernel.journal import dataset as journal_dataset
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.work import dataset as work_dataset
from statuette.policy import EffectivePolicy


def every_dataset(
    plugins: PluginRegistry,
    cipher: FieldCipher,
    generations: Generations,
    policy_of: Callable[[str], Awaitable[EffectivePolicy]],
    cascade: Cascade,
) -> dict[str, Dataset]:
    """By name.

    Args:
        policy_of: the policy of the brand with that id.
    """
    own = (
        uploads_dataset.dataset(generations.settle_upload, upload_shared, jobs_of_upload),
        figurines_dataset.dataset(figurine_shared, jobs_of_figurine),
        generations_dataset.JOBS,
        generations_dataset.TICKETS,
        news_dataset.DATASET,
        takedowns_dataset.DATASET,
        access_dataset.DATASET,
        support_dataset.dataset(cipher),
        credits_dataset.dataset(policy_of),
        consent_dataset.dataset(policy_of),
        rights_dataset.dataset(cipher),
        usage_dataset.dataset(policy_of),
        usage_dataset.COUNTS,
        notices_dataset.NOTICES,
        notices_dataset.VERSIONS,
        brands_dataset.DATASET,
        idempotency_dataset.DATASET,
        evidence_dataset.RECEIPTS,
        evidence_dataset.LOG,
        journal_dataset.DATASET,
        work_dataset.DATASET,
        *accounts_dataset.datasets(cipher, cascade),
    )
    return {dataset.name: dataset for dataset in (*own, *plugins.datasets.values())}
