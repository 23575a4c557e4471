"""A whole site for tests: the real application on a real socket, a brand, and people who use it."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from statuette.kernel.app import compose
from statuette.kernel.cli.serving import answering
from statuette.kernel.clock import clock_for
from statuette.kernel.domain.brands import flow as brands
from statuette.kernel.domain.brands import service as brand_service
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.running import running
from statuette.kernel.settings import FIRST_PARTY_PLUGINS, Settings
from statuette.ports.image import ImageProvider
from statuette.ports.storage import Storage
from statuette.testing.outbox_mailer import RecordingMailer
from statuette.testing.pictures import photo_jpeg
from statuette.testing.scripted_image import ScriptedImageProvider
from statuette.values import Clock, SystemClock
from tests import applications
from tests.profiles import Profile

# Made once: reading the system's authorities takes a client 20 ms, and nothing here is TLS.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

BRAND_TOML = """\
slug = "{slug}"
title = "{title}"
mode = "test"
adults_only = {adults_only}
hosts = ["{host}"]
cors_origins = ["https://{slug}.example"]
models = {models}
mail_sender = "{title} <hello@{slug}.example>"

[[styles]]
slug = "chibi"
credits = 1

[[styles]]
slug = "bust"
credits = 2

[limits]
uploads_per_hour = 100000
generations_per_hour = 100000
generations_in_flight = {in_flight}

[daily_cost_ceiling]
currency = "USD"
amount = "{ceiling}"

[controller]
name = "{title} Ltd"
contact = "privacy@{slug}.example"
"""


@dataclass
class Site:
    """One platform under test. `scripted` is its image model, `mailer` its post."""

    platform: Platform
    url: str
    scripted: ScriptedImageProvider
    mailer: RecordingMailer
    folder: Path
    profile: Profile
    secret_keys: dict[str, str] = field(default_factory=dict)
    _visitors: list[Visitor] = field(default_factory=list)
    _emails: Any = field(default_factory=lambda: itertools.count(1))

    async def apply_brand(
        self,
        slug: str = "alpha",
        *,
        host: str = "127.0.0.1",
        models: tuple[str, ...] = ("scripted/scripted-1",),
        ceiling: str = "50.00",
        limits_in_flight: int = 100,
        adults_only: bool = False,
        more: str = "",
    ) -> str:
        """Apply a brand; returns its secret key with every scope. `more` is written above everything else in its file."""
        path = self.folder / f"{slug}.toml"
        path.write_text(
            f"{more}\n".lstrip()
            + BRAND_TOML.format(
                slug=slug,
                title=slug.title(),
                host=host,
                models=list(models),
                ceiling=ceiling,
                in_flight=limits_in_flight,
                adults_only=str(adults_only).lower(),
            ).replace("'", '"')
        )
        await self._apply(path)
        async with self.platform.database.transaction() as tx:
            brand_id = await brand_service.brand_id_of(tx, slug)
            _, secret = await brand_service.create_key(tx, brand_id, "secret", "tests", tuple(brand_service.SCOPES))
        self.secret_keys[slug] = secret
        return secret

    async def apply_file(self, text: str, slug: str = "alpha") -> None:
        """Apply a brand's file as it is given."""
        path = self.folder / f"{slug}.toml"
        path.write_text(text)
        await self._apply(path)

    async def _apply(self, path: Path) -> None:
        await brands.apply_brands(self.platform.database, self.platform.plugins, [path], dry_run=False)
        await self.platform.brands.refresh()

    def visitor(self, host: str | None = None) -> Visitor:
        headers = {"host": host} if host else {}
        visitor = Visitor(self, httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, verify=_NO_TLS))
        self._visitors.append(visitor)
        return visitor

    async def person(self, *, brand: str = "alpha", host: str | None = None, credits: int = 20) -> Visitor:
        """Somebody signed in, who agreed, with credits."""
        visitor = self.visitor(host)
        await visitor.sign_in(f"person{next(self._emails)}@example.org")
        await visitor.agree()
        if credits:
            await self.grant(visitor, credits, brand=brand)
        return visitor

    async def grant(self, visitor: Visitor, amount: int, *, brand: str = "alpha") -> None:
        response = await visitor.http.post(
            f"/admin/v1/accounts/{visitor.account_id}/credits",
            json={"amount": amount},
            headers={
                "Authorization": f"Bearer {self.secret_keys[brand]}",
                "Idempotency-Key": f"grant-{visitor.account_id}-{amount}",
            },
        )
        assert response.status_code == 201, response.text

    async def leave(self) -> None:
        for visitor in self._visitors:
            await visitor.http.aclose()

    async def settled(self, seconds: float = 10) -> None:
        """Wait until no work is left that is due."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            async with self.platform.database.read() as reader:
                due = await reader.value("SELECT COUNT(*) AS n FROM work_item WHERE due_at <= :now", now=reader.now)
            if not due:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("work is still due")

    def objects(self) -> list[str]:
        """Keys of everything in the profile's store but the erasure journal, seen without the platform's help."""
        return [key for key in self._stored() if not key.startswith("journal/")]

    def journal(self) -> list[str]:
        """Keys of the erasure journal's segments, oldest first."""
        return [key for key in self._stored() if key.startswith("journal/")]

    def _stored(self) -> list[str]:
        if self.profile.bucket is not None:
            return self.profile.bucket.keys()
        root = self.folder / "data" / "plugins" / "local" / "objects"
        return sorted(str(path.relative_to(root)).replace("+/", "/") for path in root.rglob("*") if path.is_file())


@dataclass
class Visitor:
    """A person with a browser."""

    site: Site
    http: httpx.AsyncClient
    account_id: str = ""
    email: str = ""

    async def sign_in(self, email: str) -> None:
        self.email = email
        asked = await self.http.post("/v1/signin/codes", json={"email": email})
        assert asked.status_code == 202, asked.text
        # The newest that has a code: another letter may have come just now.
        found = [re.search(r"(?<!\d)(\d{6})(?!\d)", letter.text) for letter in self.site.mailer.sent_to(email)]
        code = next(match for match in reversed(found) if match is not None)
        session = await self.http.post("/v1/signin", json={"email": email, "code": code.group(1)})
        assert session.status_code == 201, session.text
        self.account_id = session.json()["account_id"]
        self.http.headers["Authorization"] = f"Bearer {session.json()['token']}"

    async def agree(self, *, granted: bool = True) -> None:
        response = await self.http.put("/v1/account/consents/generation", json={"granted": granted})
        assert response.status_code == 200, response.text

    async def upload(self, data: bytes | None = None, **fields: str) -> dict[str, Any]:
        response = await self.try_upload(data, **fields)
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def try_upload(
        self, data: bytes | None = None, *, headers: dict[str, str] | None = None, **fields: str
    ) -> httpx.Response:
        return await self.http.post(
            "/v1/uploads",
            files={"photo": ("photo.jpg", photo_jpeg() if data is None else data)},
            data={"statement": "true", **fields},
            headers=headers or {},
        )

    async def order(self, upload_id: str | None = None, **body: Any) -> dict[str, Any]:
        response = await self.try_order(upload_id, **body)
        assert response.status_code in (200, 202), response.text
        return dict(response.json())

    async def try_order(
        self, upload_id: str | None = None, *, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        if upload_id is not None:
            body = {"inputs": [{"upload_id": upload_id}], "style": "chibi", **body}
        return await self.http.post("/v1/generations", json=body, headers=headers or {})

    async def finished(self, generation_id: str, seconds: int = 20) -> dict[str, Any]:
        """The job once it has ended."""
        response = await self.http.get(f"/v1/generations/{generation_id}", headers={"Prefer": f"wait={seconds}"})
        assert response.status_code == 200, response.text
        job = dict(response.json())
        assert job["final"], job
        return job

    async def credits(self) -> dict[str, Any]:
        return dict((await self.http.get("/v1/credits")).json())


@asynccontextmanager
async def serving(
    folder: Path,
    profile: Profile,
    *,
    clock: Clock | None = None,
    scripted: ScriptedImageProvider | None = None,
    providers: tuple[ImageProvider, ...] = (),
    storage: Storage | None = None,
    routes: dict[str, tuple[Any, ...]] | None = None,
    **overrides: Any,
) -> AsyncIterator[Site]:
    """A platform on a free port, without a brand, served as its profile serves it, with all roles in this process.

    Args:
        providers: further image models, beside the scripted one.
        storage: where objects go instead of the profile's store.
        routes: those of further plugins, by the plugin's name.
        overrides: settings.
    """
    with _reserved_port() as (socket_, port):
        settings = Settings(
            **{
                "data_dir": folder / "data",
                "database_url": profile.database_url,
                "port": port,
                "public_url": f"http://127.0.0.1:{port}",
                "mailer": "recording",
                "allowed_plugins": tuple(name for name in FIRST_PARTY_PLUGINS if name not in ("smtp", "gemini")),
                "requests_per_minute_per_principal": 100_000,
                "requests_per_minute_per_address": 100_000,
                "signins_per_minute_per_address": 100_000,
                "pixel_workers": 1,
                "worker_concurrency": 8,
                **profile.settings,
                **({"storage": storage.name} if storage is not None else {}),
                **overrides,
            }
        )
        if clock is None:
            clock = clock_for(settings.profile)
        mailer = RecordingMailer()
        provider = scripted or ScriptedImageProvider(clock=SystemClock())
        plugins = PluginRegistry.survey(settings, clock, environment={})
        assert "allowed_plugins" in overrides or not plugins.quarantined, plugins.quarantined
        plugins.mailers["recording"] = mailer
        plugins.image_providers.update({each.name: each for each in (provider, *providers)})
        if storage is not None:
            plugins.storages[storage.name] = storage
        plugins.routes.update(routes or {})
        platform = compose(settings, clock, plugins)
        site = Site(platform, settings.public_url, provider, mailer, folder, profile)
        async with _by_granian(platform) if settings.profile == "cluster" else _by_uvicorn(platform, socket_):
            try:
                yield site
            finally:
                await site.leave()
        applications.give_back(platform)


@contextmanager
def _reserved_port() -> Iterator[tuple[socket.socket, int]]:
    """A bound socket that does not listen yet. Others may listen on its port if they share it, as Granian does."""
    # The protocol is named because asyncio turns Nagle off only for sockets that say they are TCP: 40 ms a request.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound, bound.getsockname()[1]


@asynccontextmanager
async def _by_granian(platform: Platform) -> AsyncIterator[None]:
    async with running(platform), answering(platform):
        yield


@asynccontextmanager
async def _by_uvicorn(platform: Platform, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        applications.http_app(platform), log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    listening.listen(512)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        if task.done():
            task.result()
            raise AssertionError("the server did not start")
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


WAIT = timedelta(seconds=20)
