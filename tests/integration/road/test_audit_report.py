"""The audit report: the whole log verified, what is open, signed; and heads kept where the operator cannot rewrite them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from statuette.evidence import Fault, read_head, verify_head
from statuette.kernel.evidence.report import DOMAIN, AuditReport, audit_report, signed
from statuette.kernel.settings import PluginTable
from statuette.kernel.toml_source import parse_toml
from statuette.testing import FrozenClock
from tests.commands import statuette
from tests.integration.road.faults import count, until
from tests.profiles import Profile
from tests.site import Site, serving

_SEED = bytes(range(32))


@pytest.fixture
def anchor_file(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder / "heads.jsonl"


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock, anchor_file: Path) -> AsyncIterator[Site]:
    tables = {**profile.settings.get("plugin_tables", {}), "local": _local(anchor_file)}
    async with serving(tmp_path, profile, clock=clock, plugin_tables=tables) as site:
        await site.apply_brand()
        yield site


async def test_the_report_verifies_the_log_and_counts_what_was_enforced(site: Site, clock: FrozenClock) -> None:
    await _deleted(site, clock, photos=3)

    report = await audit_report(site.platform.database)

    assert report.audit is not None
    assert (report.audit.holds, report.audit.entries) == (True, 3)
    assert [(each.rule, each.receipts) for each in report.enforced] == [("upload.asked", 3)]
    assert report.in_order
    assert report.head is not None
    document = signed(report, _SEED)
    key = Ed25519PublicKey.from_public_bytes(_public(_SEED))
    key.verify(bytes.fromhex(document.signature), DOMAIN + bytes(document.report))
    with pytest.raises(InvalidSignature):
        key.verify(bytes.fromhex(document.signature), DOMAIN + bytes(document.report).replace(b"3", b"4", 1))


async def test_an_entry_that_was_changed_afterwards_is_named(site: Site, clock: FrozenClock) -> None:
    await _deleted(site, clock, photos=2)
    async with site.platform.database.transaction() as tx:
        await tx.execute(
            "UPDATE evidence_entry SET body = REPLACE(body, 'upload.asked', 'upload.eaten') WHERE sequence = 1"
        )

    report = await audit_report(site.platform.database)

    assert report.audit is not None
    assert report.audit.failure is not None
    assert report.audit.failure.fault is Fault.entries_differ
    assert report.audit.failure.last == 1
    assert not report.in_order


async def test_every_head_goes_to_the_anchor_and_verifies_there(
    site: Site, clock: FrozenClock, anchor_file: Path
) -> None:
    for photos in (1, 2):
        await _deleted(site, clock, photos=photos)
        await until(lambda photos=photos: _anchored(site), clock)  # type: ignore[misc]

    heads = [read_head(line) for line in _kept(anchor_file)]
    async with site.platform.database.read() as reader:
        last = await site.platform.evidence.head(reader)
        (row,) = await reader.rows("SELECT public_key FROM evidence_head ORDER BY size DESC LIMIT 1")
    assert heads[-1] == last
    assert [head.size for head in heads] == sorted({head.size for head in heads})
    assert all(verify_head(head, bytes.fromhex(row["public_key"])) for head in heads)


async def test_an_anchor_that_is_away_is_a_finding_and_gets_the_newest_head_when_it_is_back(
    site: Site, clock: FrozenClock, anchor_file: Path
) -> None:
    away = anchor_file.parent.rename(anchor_file.parent.with_name("away"))
    await _deleted(site, clock, photos=1)
    await until(lambda: _has_finding(site), clock)
    assert not anchor_file.parent.exists()

    away.rename(anchor_file.parent)
    await until(lambda: _anchored(site), clock)

    assert [read_head(line).size for line in _kept(anchor_file)] == [1]


async def test_a_line_that_was_torn_does_not_spoil_the_next(site: Site, clock: FrozenClock, anchor_file: Path) -> None:
    await asyncio.to_thread(anchor_file.write_bytes, b'{"half')
    await _deleted(site, clock, photos=1)
    await until(lambda: _anchored(site), clock)

    torn, whole = _kept(anchor_file)
    assert torn == b'{"half'
    assert read_head(whole).size == 1


async def test_the_command_prints_a_signed_report_and_a_page(site: Site, clock: FrozenClock, tmp_path: Path) -> None:
    await _deleted(site, clock, photos=1)
    async with site.platform.database.transaction() as tx:  # the command has a clock of its own
        await tx.execute("UPDATE time_mark SET at = :now", now=datetime.now(UTC))

    told = await statuette(site, "evidence", "report", "--html", str(tmp_path / "report.html"))
    document = await statuette(site, "evidence", "report", "--json")

    assert "The log holds, and no promise that is due is open." in told.stdout
    page = (tmp_path / "report.html").read_text()
    assert "<td>1 receipts</td>" in page
    assert "<script" not in page
    read = json.loads(document.stdout)
    assert msgspec.json.decode(json.dumps(read["report"]), type=AuditReport).in_order


async def _deleted(site: Site, clock: FrozenClock, *, photos: int) -> None:
    person = await site.person()
    before = await count(site, "SELECT COUNT(*) AS n FROM evidence_entry")
    for _ in range(photos):
        upload = await person.upload()
        assert (await person.http.delete(f"/v1/uploads/{upload['id']}")).status_code == 204
    await until(lambda: _entries(site, before + photos), clock)


async def _entries(site: Site, entries: int) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM evidence_entry") == entries


async def _anchored(site: Site) -> bool:
    sql = "SELECT COUNT(*) AS n FROM evidence_anchor WHERE size = (SELECT MAX(size) FROM evidence_head)"
    return await count(site, sql) == 1


async def _has_finding(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM finding WHERE code = 'anchor_failed' AND subject = 'file'") == 1


def _kept(anchor_file: Path) -> list[bytes]:
    return anchor_file.read_bytes().splitlines()


def _public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _local(anchor_file: Path) -> PluginTable:
    return PluginTable("local", parse_toml(f'[plugins.local]\nanchor_file = "{anchor_file}"\n', "local.toml"))
