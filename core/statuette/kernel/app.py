"""Composition: settings in, a platform out. The only place that knows every part."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from statuette.errors import NotFound
from statuette.kernel.access.probe import AccessProbe
from statuette.kernel.clock import clock_for
from statuette.kernel.datasets import every_dataset
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import check_schema, migrate
from statuette.kernel.domain.accounts import service as accounts
from statuette.kernel.domain.accounts.flow import AccountFlow
from statuette.kernel.domain.brands import service as brand_service
from statuette.kernel.domain.brands.directory import BrandDirectory
from statuette.kernel.domain.brands.probes import BrandProbes
from statuette.kernel.domain.consent import service as consent
from statuette.kernel.domain.consent.flow import ConsentFlow
from statuette.kernel.domain.credits import service as credits
from statuette.kernel.domain.generations.calls import Calls
from statuette.kernel.domain.generations.flow import JOBS_ENDED_AT_ONCE, GenerationFlow
from statuette.kernel.domain.generations.pictures import Pictures
from statuette.kernel.domain.generations.run import JobRunner
from statuette.kernel.domain.generations.service import ACTOR, LET_GO, TELL_ENDED, Generations
from statuette.kernel.domain.generations.telling import EndedLetters
from statuette.kernel.domain.news.flow import NewsFlow
from statuette.kernel.domain.news.preparing import Preparing
from statuette.kernel.domain.news.service import PREPARE, SEND
from statuette.kernel.domain.news.telling import NewsLetters
from statuette.kernel.domain.notices.announcing import Announcing
from statuette.kernel.domain.notices.flow import PublishingFlow
from statuette.kernel.domain.notices.service import ANNOUNCE, TELL_CHANGE
from statuette.kernel.domain.notices.telling import ChangeLetters
from statuette.kernel.domain.rights.asking import WARNED_AT_ONCE, Requests
from statuette.kernel.domain.rights.flow import CONCLUDED_AT_ONCE, RightsFlow
from statuette.kernel.domain.rights.service import TELL
from statuette.kernel.domain.rights.telling import RequestLetters
from statuette.kernel.domain.statements.flow import StatementFlow
from statuette.kernel.domain.statements.probes import StatementProbes
from statuette.kernel.domain.support import service as support
from statuette.kernel.domain.support.flow import LET_GO_AT_ONCE, SupportFlow
from statuette.kernel.domain.support.operating import SupportDesk
from statuette.kernel.domain.support.telling import SupportLetters
from statuette.kernel.domain.takedowns.flow import LOOKED_AT_ONCE, TakedownFlow
from statuette.kernel.domain.takedowns.service import TELL as TELL_TAKEDOWN
from statuette.kernel.domain.takedowns.telling import TakedownLetters
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.domain.uploads.flow import UploadFlow
from statuette.kernel.domain.uploads.probes import UploadProbes
from statuette.kernel.domain.usage import counting
from statuette.kernel.domain.usage.counting import Counting
from statuette.kernel.domain.usage.flow import UsageFlow
from statuette.kernel.domain.usage.probes import UsageProbes
from statuette.kernel.egress import Egress
from statuette.kernel.enforcement import enforcer as enforcement
from statuette.kernel.enforcement.at_once import AtOnce
from statuette.kernel.enforcement.cascade import Cascade
from statuette.kernel.enforcement.due import ACTOR as ENFORCE
from statuette.kernel.enforcement.enforcer import Enforcer
from statuette.kernel.enforcement.heartbeat import watch as watch_heartbeat
from statuette.kernel.enforcement.leftovers import ACTOR as LEFTOVERS
from statuette.kernel.enforcement.leftovers import Leftovers
from statuette.kernel.enforcement.overdue import measure_overdue
from statuette.kernel.enforcement.plans import LOOKED_AT_IN_ONE_RUN, Plans
from statuette.kernel.enforcement.reconciliation import STEPS_IN_ONE_RUN, Reconciliation
from statuette.kernel.enforcement.residuals import residuals_of
from statuette.kernel.enforcement.time_watch import TimeWatch
from statuette.kernel.events.hub import Hub
from statuette.kernel.events.log import EventLog
from statuette.kernel.events.signals import CHANGED, ENDED, Signals
from statuette.kernel.evidence.anchoring import Anchoring
from statuette.kernel.evidence.auditing import Auditing, AuditProbe
from statuette.kernel.evidence.log import SEALED_AT_ONCE, EvidenceLog
from statuette.kernel.evidence.report import signed
from statuette.kernel.http.auth import Authenticator
from statuette.kernel.http.images import ImageSigner
from statuette.kernel.http.limits import Buckets
from statuette.kernel.http.operators import operator_routes
from statuette.kernel.journal.entries import Wish
from statuette.kernel.journal.journal import EXPIRED_AT_ONCE, FLUSHED_AT_ONCE, Journal
from statuette.kernel.journal.keys import KeyReplay
from statuette.kernel.journal.replay import Replay, Restorer
from statuette.kernel.lifecycle import Lifecycle
from statuette.kernel.mail.courier import Courier, Letters
from statuette.kernel.mail.post import Post
from statuette.kernel.mail.unsubscribe import Unsubscribing
from statuette.kernel.master_key import derived, master_key
from statuette.kernel.pixels.limits import PixelLimits
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.probes import Probes
from statuette.kernel.settings import Settings
from statuette.kernel.work.measuring import measure_work
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.presence import Presence
from statuette.kernel.work.queues import BACKGROUND, ENFORCEMENT, INTERACTIVE, MAIL
from statuette.kernel.work.runner import Actor, Runner
from statuette.kernel.work.scheduler import Duty, Scheduler
from statuette.policy import EffectivePolicy, compile_policy
from statuette.values import Clock, SystemClock

_LOTS_AT_ONCE = 200


def compose(
    settings: Settings, clock: Clock | None = None, plugins: PluginRegistry | None = None, *, live: bool = False
) -> Platform:
    """Put the platform together. Does no I/O beyond reading the master key; `running` starts it.

    Args:
        live: whether any brand is live; see `any_live_brand`.
    """
    clock = clock or clock_for(settings.profile)
    secret = master_key(settings)
    plugins = plugins or PluginRegistry.load(settings, clock, live=live)
    database = Database(engine_for(settings.database_url, pool_size=settings.database_pool_size), clock)
    brands = BrandDirectory(database, plugins.policy_packs, clock, plugins.all_policy_packs)
    storage = plugins.storage
    cipher = FieldCipher(plugins.key_store, derived(secret, "blind-index"), clock)
    longest_job = timedelta(minutes=settings.longest_job_minutes)
    pixels = PixelPool(
        workers=settings.pixel_workers,
        limits=PixelLimits(max_bytes=settings.max_upload_bytes),
    )
    hub = Hub(most=settings.max_connections * 9 // 10, most_each=settings.watched_jobs_per_account)
    signals, lifecycle = Signals(), Lifecycle()
    signals.listen(CHANGED, hub.wake)
    signals.on_doubt(hub.wake_all)
    lifecycle.on_drain(hub.wake_all)
    events = EventLog(signals)
    presence = Presence(database)
    outbox = Outbox(database, presence.id)
    egress = Egress(clock, concurrency=settings.worker_concurrency, is_live=brands.is_live)
    post = Post(plugins.mailer, egress)
    generations = Generations(outbox, events, signals, brands, longest_job)
    leftovers = Leftovers(database, outbox, storage)
    journal = Journal(
        database,
        plugins.journal_storage,
        "journal/",
        timedelta(days=max(settings.backup_days, settings.key_backup_days)),
    )
    pictures = Pictures(database, storage, leftovers, pixels)
    calls = Calls(egress, plugins, pictures, photo_bytes=settings.worker_photo_bytes)
    jobs = JobRunner(
        database=database,
        outbox=outbox,
        events=events,
        generations=generations,
        brands=brands,
        plugins=plugins,
        pictures=pictures,
        calls=calls,
    )
    signals.listen(ENDED, calls.stop)
    unsubscribing = Unsubscribing(derived(secret, "unsubscribing"), settings.public_url)
    takedowns = TakedownFlow(database, outbox, cipher)
    support_flow = SupportFlow(database, outbox, brands, cipher, storage, leftovers, pixels)
    publishing = PublishingFlow(database, outbox, brands, plugins)
    flow = GenerationFlow(database, generations, plugins)
    cascade = Cascade(lambda account_id: f"psn_{cipher.keyed_hash('pseudonym', account_id)[:40]}")
    requests = Requests(outbox, cascade, generations)
    announcing = Announcing(database, outbox)
    preparing = Preparing(database, outbox, brands)
    courier = Courier(database, outbox, brands, post)

    def by_mail(name: str, letters: Letters[Any]) -> Actor:
        return Actor(name, MAIL, partial(courier.carry, letters), letters.poisoned, max_attempts=8)

    async def policy_of(brand_id: str) -> EffectivePolicy:
        return (await brands.by_id(brand_id)).policy

    datasets = every_dataset(plugins, cipher, generations, policy_of, cascade)
    cascade.connect(datasets)
    rights = RightsFlow(
        database,
        cipher,
        requests,
        generations,
        brands,
        storage,
        datasets,
        ImageSigner(derived(secret, "copy-addresses"), settings.public_url),
        public_url=settings.public_url,
    )
    rules = compile_policy(plugins.policy_packs).retain
    enforcer = Enforcer(
        database,
        outbox,
        storage,
        cipher,
        journal,
        leftovers,
        datasets,
        rules,
        partial(residuals_of, plugins.image_providers),
    )
    replay = Replay(database, journal, datasets, AtOnce(database, outbox, enforcer), cipher, _restorers(), presence.id)
    key_replay = KeyReplay(database, journal, cipher, datasets)
    usage_probes, statement_probes = UsageProbes(database), StatementProbes(database, brands)
    brand_probes = BrandProbes(brands, plugins.processors())
    probes = Probes(
        settings,
        database,
        storage,
        replay,
        {
            "usage_choices": usage_probes.choices,
            "usage_devices": usage_probes.devices,
            "account_statements": statement_probes.accounts,
            "photo_statements": statement_probes.photos,
            "derivatives": UploadProbes(database, storage).derivatives,
            "controllers": brand_probes.controllers,
            "processors": brand_probes.processors,
            "operators_access": AccessProbe(database, operator_routes()).look,
            "audit_report": AuditProbe(database).look,
        },
    )

    evidence_seed = derived(secret, "evidence-heads")
    auditing = Auditing(
        database, probes, partial(signed, seed=evidence_seed), timedelta(days=settings.audit_report_days)
    )
    plans = Plans(database, policy_of, longest_job)
    reconciliation = Reconciliation(database, clock, storage, leftovers, datasets)
    evidence = EvidenceLog(database, evidence_seed)
    anchoring = Anchoring(database, evidence, plugins.anchors)
    runner = Runner(
        database,
        outbox,
        clock,
        (
            Actor(ACTOR, INTERACTIVE, jobs.run, generations.poisoned),
            Actor(LET_GO, BACKGROUND, jobs.let_go, jobs.not_let_go, max_attempts=8),
            Actor(ANNOUNCE, MAIL, announcing.run, announcing.poisoned, max_attempts=8),
            Actor(PREPARE, MAIL, preparing.run, preparing.poisoned, max_attempts=8),
            by_mail(TELL_ENDED, EndedLetters(brands, cipher, post)),
            by_mail(TELL_CHANGE, ChangeLetters(brands, cipher, post, public_url=settings.public_url)),
            by_mail(TELL_TAKEDOWN, TakedownLetters(brands, cipher, post)),
            by_mail(support.TELL, SupportLetters(brands, cipher, post)),
            by_mail(TELL, RequestLetters(brands, cipher, post)),
            by_mail(SEND, NewsLetters(brands, cipher, post, unsubscribing)),
            Actor(ENFORCE, ENFORCEMENT, enforcer.run, enforcer.poisoned, max_attempts=10),
            Actor(LEFTOVERS, ENFORCEMENT, leftovers.run, leftovers.poisoned, max_attempts=10),
        ),
    )
    authenticator = Authenticator(database, clock, brand_service.find_key)
    buckets = Buckets(clock)
    return Platform(
        settings=settings,
        clock=clock,
        database=database,
        plugins=plugins,
        brands=brands,
        datasets=datasets,
        cipher=cipher,
        accounts=AccountFlow(database, post, cipher, session_days=settings.session_days),
        consents=ConsentFlow(database),
        statements=StatementFlow(database),
        takedowns=takedowns,
        support=support_flow,
        support_desk=SupportDesk(database, outbox, cipher),
        news=NewsFlow(database, outbox, brands, unsubscribing),
        rights=rights,
        requests=requests,
        publishing=publishing,
        uploads=UploadFlow(database, storage, leftovers, pixels, longest_job),
        usage=UsageFlow(database),
        generations=generations,
        generation_flow=flow,
        pixels=pixels,
        signals=signals,
        hub=hub,
        lifecycle=lifecycle,
        presence=presence,
        outbox=outbox,
        runner=runner,
        enforcer=enforcer,
        plans=plans,
        journal=journal,
        replay=replay,
        key_replay=key_replay,
        probes=probes,
        evidence=evidence,
        scheduler=Scheduler(
            database,
            clock,
            presence.id,
            (
                *_duties(database, outbox, presence, flow, publishing, takedowns, support_flow),
                *_enforcement_duties(
                    database, enforcer, plans, reconciliation, evidence, anchoring, TimeWatch(database, clock)
                ),
                *_journal_duties(journal, replay, key_replay),
                *_rights_duties(rights),
                Duty("count_usage", timedelta(minutes=10), Counting(database).run, at_once=counting.COUNTED_AT_ONCE),
                Duty("forget_addresses", timedelta(minutes=1), buckets.forgotten),
                Duty("probes", timedelta(days=1), probes.run, apart=True),
                Duty("audit", timedelta(minutes=10), auditing.run, apart=True),
            ),
        ),
        authenticator=authenticator,
        buckets=buckets,
        images=ImageSigner(derived(secret, "image-addresses"), settings.public_url),
        secret=secret,
    )


def _duties(
    database: Database,
    outbox: Outbox,
    presence: Presence,
    flow: GenerationFlow,
    publishing: PublishingFlow,
    takedowns: TakedownFlow,
    support_flow: SupportFlow,
) -> tuple[Duty, ...]:
    async def expire_credits() -> int:
        async with database.transaction() as tx:
            return await credits.expire_due(tx, tx.now, _LOTS_AT_ONCE)

    return (
        Duty("free_the_dead", timedelta(seconds=1), presence.free_the_dead),
        Duty("relay", timedelta(seconds=0), outbox.relay),
        Duty("overdue_jobs", timedelta(seconds=5), flow.expire, at_once=JOBS_ENDED_AT_ONCE),
        Duty("expire_credits", timedelta(minutes=1), expire_credits, at_once=_LOTS_AT_ONCE),
        Duty("published_policies", timedelta(seconds=5), publishing.look),
        Duty("takedowns", timedelta(seconds=10), takedowns.look, at_once=LOOKED_AT_ONCE),
        Duty("support", timedelta(minutes=1), support_flow.look, at_once=LET_GO_AT_ONCE),
        Duty("measure_work", timedelta(seconds=10), partial(measure_work, database)),
    )


def _enforcement_duties(
    database: Database,
    enforcer: Enforcer,
    plans: Plans,
    reconciliation: Reconciliation,
    evidence: EvidenceLog,
    anchoring: Anchoring,
    watch: TimeWatch,
) -> tuple[Duty, ...]:
    return (
        Duty("deadlines", timedelta(seconds=1), enforcer.hand_out, at_once=enforcement.HANDED_OUT_AT_ONCE),
        Duty("sweep", timedelta(minutes=1), enforcer.sweep, at_once=enforcement.SWEPT_AT_ONCE),
        Duty("plans", timedelta(seconds=1), plans.carry_out, at_once=LOOKED_AT_IN_ONE_RUN),
        Duty("reconcile", timedelta(minutes=1), reconciliation.run, at_once=STEPS_IN_ONE_RUN, apart=True),
        Duty("watch_time", timedelta(seconds=10), watch.run),
        Duty("watch_heartbeat", timedelta(minutes=1), partial(watch_heartbeat, database)),
        Duty("truncate_log", timedelta(seconds=30), evidence.truncate),
        Duty("seal_evidence", timedelta(seconds=1), evidence.seal, at_once=SEALED_AT_ONCE),
        Duty("anchor", timedelta(seconds=30), anchoring.run, apart=True),
        Duty("measure_overdue", timedelta(seconds=10), partial(measure_overdue, database)),
    )


def _journal_duties(journal: Journal, replay: Replay, key_replay: KeyReplay) -> tuple[Duty, ...]:
    return (
        Duty("flush_journal", timedelta(seconds=10), journal.flush, at_once=FLUSHED_AT_ONCE, apart=True),
        Duty("watch_journal", timedelta(seconds=10), replay.watch, apart=True),
        Duty("watch_keys", timedelta(hours=1), key_replay.catch_up, apart=True),
        Duty("expire_journal", timedelta(hours=1), journal.expire, at_once=EXPIRED_AT_ONCE, apart=True),
    )


def _rights_duties(rights: RightsFlow) -> tuple[Duty, ...]:
    return (
        Duty("erasures", timedelta(seconds=5), rights.conclude_erasures, at_once=CONCLUDED_AT_ONCE),
        Duty("privacy_requests", timedelta(minutes=1), rights.warn, at_once=WARNED_AT_ONCE),
    )


def _restorers() -> dict[str, Restorer]:
    """How what people decided is carried out again after a restore, by topic."""

    async def withdrawn(tx: Transaction, wish: Wish) -> bool:
        try:
            await accounts.require(tx, wish.brand_id, wish.account_id)
        except NotFound:
            return False
        return await consent.withdraw_again(tx, wish)

    return {
        consent.WITHDRAWN: withdrawn,
        uploads.UNSAVED: uploads.unsave_again,
        support.CLOSED: support.settle_again,
        support.REOPENED: support.settle_again,
    }


async def any_live_brand(settings: Settings) -> bool:
    """Whether any brand of the deployment is live, which plugins are told while they load. Raises `UnknownSchema`."""
    database = Database(engine_for(settings.database_url), SystemClock())
    try:
        await database.open()
        if settings.profile == "embedded":
            await migrate(database.engine)
        else:
            await check_schema(database.engine)
        async with database.read() as reader:
            return bool(await reader.value("SELECT 1 AS live FROM brand WHERE mode = 'live' LIMIT 1"))
    finally:
        await database.close()
