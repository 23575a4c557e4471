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
from statuette.kernel.domain.uploads.flow import UploadFlow
from statuette.kernel.enforcement.enforcer import Enforcer
from statuette.kernel.events.hub import Hub
from statuette.kernel.events.signals import Signals
from statuette.kernel.http.auth import Authenticator
from statuette.kernel.http.images import ImageSigner
from statuette.kernel.http.limits import Buckets
from statuette.kernel.lifecycle import Lifecycle
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.plugins import PluginRegistry
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
    uploads: UploadFlow
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
    scheduler: Scheduler
    authenticator: Authenticator
    buckets: Buckets
    images: ImageSigner
    secret: bytes

    @property
    def longest_job(self) -> timedelta:
        return timedelta(minutes=self.settings.longest_job_minutes)
