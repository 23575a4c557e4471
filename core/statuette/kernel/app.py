"""Composition: settings in, a running platform and its HTTP application out. The only place that knows every part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import cast

from litestar import Litestar, Router
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.types import ASGIApp

from statuette.dataset import Dataset
from statuette.kernel.clock import DatabaseClock
from statuette.kernel.db.database import Database
from statuette.kernel.db.encryption import FieldCipher
from statuette.kernel.db.engines import engine_for
from statuette.kernel.db.schema import check_schema, migrate
from statuette.kernel.domain.accounts import dataset as accounts_dataset
from statuette.kernel.domain.accounts.flow import AccountFlow
from statuette.kernel.domain.brands import dataset as brands_dataset
from statuette.kernel.domain.brands import service as brand_service
from statuette.kernel.domain.brands.directory import BrandDirectory
from statuette.kernel.domain.consent import dataset as consent_dataset
from statuette.kernel.domain.consent.flow import ConsentFlow
from statuette.kernel.domain.credits import dataset as credits_dataset
from statuette.kernel.domain.credits import service as credits
from statuette.kernel.domain.figurines import dataset as figurines_dataset
from statuette.kernel.domain.generations import dataset as generations_dataset
from statuette.kernel.domain.generations.calls import Calls
from statuette.kernel.domain.generations.flow import JOBS_ENDED_AT_ONCE, GenerationFlow
from statuette.kernel.domain.generations.pictures import Pictures
from statuette.kernel.domain.generations.run import JobRunner
from statuette.kernel.domain.generations.service import ACTOR, LET_GO, TELL_ENDED, Generations
from statuette.kernel.domain.generations.telling import Telling
from statuette.kernel.domain.uploads import dataset as uploads_dataset
from statuette.kernel.domain.uploads.flow import UploadFlow
from statuette.kernel.egress import Egress
from statuette.kernel.enforcement import enforcer as enforcement
from statuette.kernel.enforcement.enforcer import Enforcer
from statuette.kernel.enforcement.leftovers import ACTOR as LEFTOVERS
from statuette.kernel.enforcement.leftovers import Leftovers
from statuette.kernel.enforcement.overdue import measure_overdue
from statuette.kernel.events.hub import Hub
from statuette.kernel.events.log import EventLog
from statuette.kernel.events.signals import CHANGED, ENDED, Signals
from statuette.kernel.http.auth import Authenticator
from statuette.kernel.http.cors import Preflight
from statuette.kernel.http.dependencies import DEPENDENCIES
from statuette.kernel.http.edge import Edge
from statuette.kernel.http.gate import Gate
from statuette.kernel.http.images import ImageSigner
from statuette.kernel.http.limits import Buckets
from statuette.kernel.http.openapi import openapi_config, openapi_routes
from statuette.kernel.http.problems import respond
from statuette.kernel.http.routes import ROUTES
from statuette.kernel.idempotency import dataset as idempotency_dataset
from statuette.kernel.lifecycle import Lifecycle
from statuette.kernel.mail.post import Post
from statuette.kernel.master_key import derived, master_key
from statuette.kernel.pixels.limits import PixelLimits
from statuette.kernel.pixels.pool import PixelPool
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.running import running
from statuette.kernel.settings import Settings
from statuette.kernel.work import dataset as work_dataset
from statuette.kernel.work.measuring import measure_work
from statuette.kernel.work.outbox import Outbox
from statuette.kernel.work.presence import Presence
from statuette.kernel.work.queues import BACKGROUND, ENFORCEMENT, INTERACTIVE, MAIL
from statuette.kernel.work.runner import Actor, Runner
from statuette.kernel.work.scheduler import Duty, Scheduler
from statuette.policy import Carry, Retain, compile_policy
from statuette.values import Clock, SystemClock

_LOTS_AT_ONCE = 200


def compose(
    settings: Settings, clock: Clock | None = None, plugins: PluginRegistry | None = None, *, live: bool = False
) -> Platform:
    """Put the platform together. Does no I/O beyond reading the master key; `running` starts it.

    Args:
        live: whether any brand is live; see `any_live_brand`.
    """
    clock = clock or (DatabaseClock(SystemClock()) if settings.profile == "cluster" else SystemClock())
    secret = master_key(settings)
    plugins = plugins or PluginRegistry.load(settings, clock, live=live)
    database = Database(engine_for(settings.database_url, pool_size=settings.database_pool_size), clock)
    brands = BrandDirectory(database, plugins.policy_packs, clock)
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
    egress = Egress(clock, concurrency=settings.worker_concurrency)
    post = Post(plugins.mailer, egress)
    generations = Generations(outbox, events, signals, brands, longest_job)
    leftovers = Leftovers(database, outbox, storage)
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
    telling = Telling(database, outbox, brands, cipher, post)
    flow = GenerationFlow(database, generations, plugins)
    datasets = _datasets(plugins, cipher, generations)
    sweeps = [
        rule
        for rule in compile_policy(plugins.policy_packs).retain.values()
        if isinstance(rule, Retain) and rule.carry is Carry.sweep
    ]
    enforcer = Enforcer(database, outbox, storage, leftovers, datasets, sweeps)
    runner = Runner(
        database,
        outbox,
        clock,
        (
            Actor(ACTOR, INTERACTIVE, jobs.run, generations.poisoned),
            Actor(LET_GO, BACKGROUND, jobs.let_go, jobs.not_let_go, max_attempts=8),
            Actor(TELL_ENDED, MAIL, telling.run, telling.poisoned, max_attempts=8),
            Actor(enforcement.ACTOR, ENFORCEMENT, enforcer.run, enforcer.poisoned, max_attempts=10),
            Actor(LEFTOVERS, ENFORCEMENT, leftovers.run, leftovers.poisoned, max_attempts=10),
        ),
    )
    authenticator = Authenticator(database, clock, brand_service.find_key)
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
        uploads=UploadFlow(database, storage, leftovers, pixels, longest_job),
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
        scheduler=Scheduler(database, clock, presence.id, _duties(database, outbox, presence, enforcer, flow)),
        authenticator=authenticator,
        buckets=Buckets(clock),
        images=ImageSigner(derived(secret, "image-addresses"), settings.public_url),
        secret=secret,
    )


def _duties(
    database: Database, outbox: Outbox, presence: Presence, enforcer: Enforcer, flow: GenerationFlow
) -> tuple[Duty, ...]:
    async def expire_credits() -> int:
        async with database.transaction() as tx:
            return await credits.expire_due(tx, tx.now, _LOTS_AT_ONCE)

    async def truncate_log() -> int:
        return 0 if await database.engine.truncate_log() else 1

    return (
        Duty("free_the_dead", timedelta(seconds=1), presence.free_the_dead),
        Duty("relay", timedelta(seconds=0), outbox.relay),
        Duty("deadlines", timedelta(seconds=1), enforcer.hand_out, at_once=enforcement.HANDED_OUT_AT_ONCE),
        Duty("overdue_jobs", timedelta(seconds=5), flow.expire, at_once=JOBS_ENDED_AT_ONCE),
        Duty("sweep", timedelta(minutes=1), enforcer.sweep, at_once=enforcement.SWEPT_AT_ONCE),
        Duty("expire_credits", timedelta(minutes=1), expire_credits, at_once=_LOTS_AT_ONCE),
        Duty("truncate_log", timedelta(seconds=30), truncate_log),
        Duty("measure_work", timedelta(seconds=10), partial(measure_work, database)),
        Duty("measure_overdue", timedelta(seconds=10), partial(measure_overdue, database)),
    )


def _datasets(plugins: PluginRegistry, cipher: FieldCipher, generations: Generations) -> dict[str, Dataset]:
    own = (
        uploads_dataset.dataset(generations.settle_upload),
        figurines_dataset.DATASET,
        generations_dataset.JOBS,
        generations_dataset.TICKETS,
        credits_dataset.DATASET,
        consent_dataset.DATASET,
        brands_dataset.DATASET,
        idempotency_dataset.DATASET,
        work_dataset.DATASET,
        *accounts_dataset.datasets(cipher),
    )
    return {dataset.name: dataset for dataset in (*own, *plugins.datasets.values())}


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


def litestar_app(platform: Platform) -> Litestar:
    """Every route of a platform, behind the gate; its lifespan starts and stops the platform."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with running(platform):
            yield

    def gate(app: ASGIApp) -> ASGIApp:
        return Gate(app, platform)

    plugin_routers = [
        Router(path=f"/x/{name}", route_handlers=list(handlers)) for name, handlers in platform.plugins.routes.items()
    ]
    docs = platform.settings.docs_enabled
    return Litestar.from_config(
        AppConfig(
            route_handlers=[*ROUTES, *plugin_routers, *(openapi_routes() if docs else ())],
            dependencies=dict(DEPENDENCIES),
            middleware=[gate],
            exception_handlers={Exception: respond},
            openapi_config=openapi_config(platform.settings.public_url) if docs else None,
            lifespan=[lifespan],
            state=State({"platform": platform}),
            request_max_body_size=None,  # the edge bounds bodies
        )
    )


def http_app(platform: Platform) -> ASGIApp:
    """The HTTP application of a platform: its routes, and around them what every request passes."""
    settings = platform.settings
    edged = Edge(
        Preflight(litestar_app(platform), platform),
        platform.clock,
        max_body_bytes=settings.request_body_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        body_seconds=settings.request_body_seconds,
        https=settings.secure_cookies,
        trust_traces=settings.trust_incoming_traces,
    )
    return cast(ASGIApp, edged)
