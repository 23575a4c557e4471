"""Each probe tells well from ill, and what is ill is a finding until it is well again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from statuette.kernel.probes import Checked, Probes
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from tests.integration.road.faults import count, until
from tests.profiles import Profile
from tests.site import Site, serving

OPEN = (
    "SELECT COUNT(*) AS n FROM finding WHERE code = 'safeguard_failed' AND subject = :subject AND resolved_at IS NULL"
)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile) as site:
        await site.apply_brand()
        yield site


@pytest.mark.rule("safeguard.encryption")
async def test_a_column_with_clear_text_is_found_and_forgiven_when_it_is_gone(site: Site) -> None:
    person = await site.person()
    assert (await site.platform.probes.personal_columns()).ok

    async with site.platform.database.transaction() as tx:
        await tx.execute(
            "UPDATE account SET name = :name WHERE id = :id", name=b"Ada Lovelace, clear", id=person.account_id
        )
    found = await site.platform.probes.personal_columns()

    assert (found.ok, "account.name" in found.detail, "Ada" in found.detail) == (False, True, False)
    await site.platform.probes.run()
    assert await count(site, OPEN, subject="personal_columns") == 1
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE account SET name = NULL WHERE id = :id", id=person.account_id)
    await site.platform.probes.run()
    assert await count(site, OPEN, subject="personal_columns") == 0


async def test_the_scheduler_runs_the_probes(site: Site) -> None:
    person = await site.person()
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE account SET email = :email WHERE id = :id", email=b"clear", id=person.account_id)
    site.platform.scheduler._next_run.pop("probes", None)  # it has run once, as in every process that begins to tick

    async def found() -> bool:
        return await count(site, OPEN, subject="personal_columns") == 1

    await until(found)


@pytest.mark.rule("safeguard.tls")
@pytest.mark.parametrize(
    ("public_url", "ok"),
    [("http://localhost:8000", True), ("http://127.0.0.1", True), ("http://api.example.com", False)],
)
async def test_plain_http_is_for_this_machine_alone(site: Site, public_url: str, ok: bool) -> None:
    assert (await _probes(site, public_url=public_url).tls()).ok is ok


async def test_a_certificate_that_nobody_vouches_for_is_found(site: Site, tls_port: int) -> None:
    found = await _probes(site, public_url=f"https://localhost:{tls_port}").tls()

    assert (found.ok, "TLS fails" in found.detail) == (False, True)


async def test_a_site_that_cannot_be_reached_from_inside_is_not_blamed(site: Site) -> None:
    assert (await _probes(site, public_url="https://localhost:9").tls()).ok


@pytest.mark.rule("object.encrypted")
async def test_a_store_that_does_not_encrypt_is_found(site: Site, clock: FrozenClock) -> None:
    class Plain(MemoryStorage):
        @property
        def capabilities(self):  # type: ignore[no-untyped-def]
            return msgspec.structs.replace(super().capabilities, encrypted_at_rest=False)

    probes = _probes(site, storage=Plain(clock=clock), profile="cluster")
    assert not (await probes.object_store()).ok
    embedded = _probes(site, storage=Plain(clock=clock), profile="embedded")
    assert (await embedded.object_store()).ok
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE brand SET mode = 'live'")
    assert not (await embedded.object_store()).ok


async def test_a_journal_that_says_more_than_the_database_knows_is_found(site: Site) -> None:
    person = await site.person()
    upload = await person.upload()
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    assert (await site.platform.probes.erasure_journal()).ok

    async with site.platform.database.transaction() as tx:
        await tx.execute("DELETE FROM journal_mark")

    assert not (await site.platform.probes.erasure_journal()).ok


async def test_a_probe_that_cannot_look_has_not_passed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = MemoryStorage(clock=site.platform.clock)  # of the journal
    monkeypatch.setattr(site.platform.journal, "_storage", storage)
    storage.fail_next("list", times=3)

    found = await site.platform.probes.one("erasure_journal")

    assert isinstance(found, Checked) and not found.ok


def _probes(site: Site, storage: MemoryStorage | None = None, **settings: str) -> Probes:
    platform = site.platform
    return Probes(
        msgspec.structs.replace(platform.settings, **settings),
        platform.database,
        storage or platform.plugins.storage,
        platform.replay,
    )
