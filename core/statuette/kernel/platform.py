"""The platform, put together: every part in one place, each handed to those who need it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from statuette.dataset import Dataset
from statuette.kernel.db.database import Database
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.domain.accounts.flow import AccountFlow
from statuette.kernel.domain.brands.directory import BrandDirectory
from statuette.kernel.domain.consent.flow import ConsentFlow
from statuette.kernel.domain.generations.flow import GenerationFlow
from statuette.kernel.domain.generations.service import Generations
from statuette.kernel.domain.news.flow import NewsFlow
from statuette.kernel.domain.notices.flow import PublishingFlow
from statuette.kernel.domain.rights.asking import Requests
from statuette.kernel.domain.rights.flow import RightsFlow
from statuette.kernel.domain.statements.flow import StatementFlow
from statuette.kernel.domain.support.flow import SupportFlow
from statuette.kernel.domain.support.operating import SupportDesk
from statuette.kernel.domain.takedowns.flow import TakedownFlow
from statuette.kernel.domain.uploads.flow import UploadFlow
from statuette.kernel.domain.usage.flow import UsageFlow
from statuette.kernel.enforcement.enforcer import Enforcer
from statuette.kernel.enforcement.plans import Plans
from statuette.kernel.events.hub import Hub
from statuette.kernel.events.signals import Signals
from statuette.kernel.evidence.log import EvidenceLog
from statuette.kernel.http.auth import Authenticator
from statuette.kernel.http.images import ImageSigner
from statuette.kernel.http.limits import Buckets
from statuette.kernel.journal.journal import Journal
from statuette.kernel.journal.keys import KeyReplay
from statuette.kernel.journal.replay import Replay
from statuette.kernel.lifecycle import Lifecycle
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.probes import Probes
from statuette.kernel.settings import Settings
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.presence import Presence
from statuette.kernel.work.runner import Runner
from statuette.kernel.work.scheduler import Scheduler
from statuette.values import Clock


@dataclass(frozen=True, slots=True)
class Platform:
    settings: Settings
    clock: Clock
    database: Database
    plugins: PluginRegistry
    brands: BrandDirectory
    datasets: dict[str, Dataset]
    cipher: FieldCipher
    accounts: AccountFlow
    consents: ConsentFlow
    statements: StatementFlow
    news: NewsFlow
    takedowns: TakedownFlow
    support: SupportFlow
    support_desk: SupportDesk
    rights: RightsFlow
    requests: Requests
    publishing: PublishingFlow
    uploads: UploadFlow
    usage: UsageFlow
    generations: Generations
    generation_flow: GenerationFlow
    pixels: PixelPool
    signals: Signals
    hub: Hub
    lifecycle: Lifecycle
    presence: Presence
    outbox: Outbox
    runner: Runner
    enforcer: Enforcer
    plans: Plans
    journal: Journal
    replay: Replay
    key_replay: KeyReplay
    probes: Probes
    evidence: EvidenceLog
    scheduler: Scheduler
    authenticator: Authenticator
    buckets: Buckets
    images: ImageSigner
    secret: bytes

    @property
    def longest_job(self) -> timedelta:
        return timedelta(minutes=self.settings.longest_job_minutes)
