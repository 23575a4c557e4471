"""Once a day a deployment checks itself, signs what it found and keeps it; what is not in order is a finding until it is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from statuette.evidence import PublicKey, PublicKeys, canonical
from statuette.kernel.evidence import auditing, verifying
from statuette.kernel.evidence.report import DOMAIN, AuditReport, Cause, SignedReport, audit_report
from statuette.kernel.evidence.verifying import LogNotVerified
from statuette.ports.anchor import ReportDigest
from statuette.testing import FrozenClock
from tests.commands import Done, statuette
from tests.integration.road.faults import count, hurry, until
from tests.integration.road.test_audit_report import _local as local_anchor
from tests.profiles import Profile
from tests.site import Site, serving

DAY = timedelta(days=1)
OPEN = "SELECT COUNT(*) AS n FROM finding WHERE code = :code AND resolved_at IS NULL"
KEPT = "SELECT COUNT(*) AS n FROM audit_report"


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    tables = {**profile.settings.get("plugin_tables", {}), "local": local_anchor(tmp_path / "heads.jsonl")}
    async with serving(tmp_path, profile, clock=clock, audit_report_days=30, plugin_tables=tables) as site:
        await site.apply_brand()
        hurry(site)
        yield site


async def _begun(site: Site) -> bool:
    marks = "SELECT COUNT(*) AS n FROM time_mark WHERE name IN ('audit', 'enforcement', 'reconciliation')"
    return await count(site, marks) == 3


async def _entered(site: Site, entries: int) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM evidence_entry") == entries


async def _made(site: Site, reports: int) -> bool:
    return await count(site, KEPT) == reports


async def deleted(site: Site, clock: FrozenClock, photos: int = 1) -> None:
    person = await site.person()
    for _ in range(photos):
        upload = await person.upload()
        assert (await person.http.delete(f"/v1/uploads/{upload['id']}")).status_code == 204
    await until(lambda: _entered(site, photos), clock)


async def a_day_later(site: Site, clock: FrozenClock, reports: int) -> None:
    """The next report; the scheduler has looked for deadlines, and compared the store, by then."""
    await until(lambda: _begun(site))
    site.platform.scheduler._next_run["audit"] = clock.now() + DAY + timedelta(seconds=2)
    clock.advance(DAY + timedelta(seconds=1))
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE time_mark SET at = :now WHERE name <> 'audit'", now=tx.now)
    await until(lambda: _made(site, reports), clock)


async def admin(site: Site, path: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {site.secret_keys['alpha']}"}
    return await site.visitor().http.get(f"/admin/v1/audit-reports{path}", headers=headers)


@pytest.mark.rule("safeguard.audit")
async def test_a_report_is_made_every_day_signed_and_kept(site: Site, clock: FrozenClock) -> None:
    await deleted(site, clock, photos=3)
    assert await count(site, KEPT) == 0

    await a_day_later(site, clock, 1)
    await a_day_later(site, clock, 2)

    # Listed, newest first, in pages
    first = (await admin(site, "?limit=1")).json()
    second = (await admin(site, f"?limit=1&cursor={first['next_cursor']}")).json()
    (newer,), (older,) = first["items"], second["items"]
    assert (newer["in_order"], newer["causes"], newer["entries"]) == (True, [], 3)
    assert newer["made_at"] > older["made_at"] and second["next_cursor"] is None
    # Downloaded as it was signed, with the key of the log's heads, and chained to the one before
    answer = await admin(site, f"/{newer['id']}")
    assert f"sha256:{hashlib.sha256(answer.content).hexdigest()}" == newer["digest"]
    document = msgspec.json.decode(answer.content, type=SignedReport)
    async with site.platform.database.read() as reader:
        (row,) = await reader.rows("SELECT DISTINCT public_key FROM evidence_head")
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row["public_key"]))
    key.verify(bytes.fromhex(document.signature), DOMAIN + bytes(document.report))
    report = msgspec.json.decode(document.report, type=AuditReport)
    assert report.previous == older["digest"]
    assert report.audit is not None and report.audit.holds and report.in_order
    assert {each.name for each in report.probes} == site.platform.probes.all.keys()
    assert all(each.ok for each in report.probes) and report.reconciled_at and report.enforced_at
    assert (await admin(site, "/rep_nothing")).status_code == 404
    assert await count(site, OPEN, code=auditing.NOT_IN_ORDER) == 0


@pytest.mark.rule("safeguard.audit")
async def test_what_is_not_in_order_is_a_finding_until_it_is(site: Site, clock: FrozenClock) -> None:
    await deleted(site, clock)
    alter = "UPDATE evidence_entry SET body = REPLACE(body, :old, :new)"
    async with site.platform.database.transaction() as tx:
        await tx.execute(alter, old="upload.asked", new="upload.eaten")

    await a_day_later(site, clock, 1)

    (item,) = (await admin(site)).json()["items"]
    assert (item["in_order"], item["causes"]) == (False, ["log"])
    async with site.platform.database.read() as reader:
        (found,) = await reader.rows("SELECT detail FROM finding WHERE code = :code", code=auditing.NOT_IN_ORDER)
    assert found["detail"] == "log"
    assert await count(site, OPEN, code=auditing.NOT_IN_ORDER) == 1

    async with site.platform.database.transaction() as tx:
        await tx.execute(alter, old="upload.eaten", new="upload.asked")
    await a_day_later(site, clock, 2)

    assert await count(site, OPEN, code=auditing.NOT_IN_ORDER) == 0
    assert [each["in_order"] for each in (await admin(site)).json()["items"]] == [True, False]


async def test_the_digest_of_each_report_goes_to_the_anchor(site: Site, clock: FrozenClock, tmp_path: Path) -> None:
    await deleted(site, clock)
    away, back = tmp_path / "heads.reports.jsonl", tmp_path / "away"
    away.mkdir()  # nothing can be written there

    await a_day_later(site, clock, 1)

    async def failed() -> bool:
        return await count(site, OPEN, code="anchor_failed") == 1

    await until(failed, clock)
    away.rename(back)
    await a_day_later(site, clock, 2)

    async def taken() -> bool:
        return await count(site, "SELECT COUNT(*) AS n FROM evidence_anchor WHERE report IS NOT NULL") == 1

    await until(taken, clock)
    kept = [msgspec.json.decode(line, type=ReportDigest) for line in away.read_bytes().splitlines()]
    items = {each["id"]: each["digest"] for each in (await admin(site)).json()["items"]}
    assert [items[each.id] for each in kept] == [each.digest for each in kept]
    await a_day_later(site, clock, 3)
    newest = (await admin(site, "?limit=1")).json()["items"][0]

    async def newest_taken() -> bool:
        return newest["digest"] in away.read_text()

    await until(newest_taken, clock)


async def test_each_cause_is_told(site: Site, clock: FrozenClock) -> None:
    probed = [await site.platform.probes.one("queues")]

    async def told() -> tuple[Cause, ...]:
        return (await audit_report(site.platform.database, probed)).causes

    await until(lambda: _begun(site))
    await site.platform.scheduler.stop()
    assert await told() == ()
    person = await site.person()
    upload = await person.upload()
    async with site.platform.database.transaction() as tx:
        at = {"id": upload["id"], "now": tx.now}
        await tx.execute("UPDATE deadline SET due_at = :now WHERE record_id = :id AND rule = 'upload.cap'", **at)
    assert await told() == ()  # a moment ago: it is in hand
    clock.advance(timedelta(minutes=11))
    assert await told() == (Cause.overdue,)
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE deadline SET state = 'stopped' WHERE record_id = :id", id=upload["id"])
    assert await told() == (Cause.stopped,)
    probed.append(msgspec.structs.replace(probed[0], ok=False))
    assert await told() == (Cause.stopped, Cause.probes)
    await _raise(site, "object_missing")
    assert await told() == (Cause.stopped, Cause.probes, Cause.objects)
    clock.advance(timedelta(hours=1))
    assert await told() == (Cause.stopped, Cause.probes, Cause.objects, Cause.enforcement)
    clock.advance(2 * DAY)
    assert set(await told()) == set(Cause) - {Cause.log, Cause.overdue}


async def _raise(site: Site, code: str) -> None:
    from statuette.kernel.work import findings

    async with site.platform.database.transaction() as tx:
        await findings.raise_finding(tx, code=code, subject="upl_of_nobody", brand_id=None)


async def test_an_audit_that_breaks_off_is_a_finding_and_the_doctor_complains_after_two_days(
    site: Site, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deleted(site, clock)
    await until(lambda: _begun(site))
    assert (await site.platform.probes.one(auditing.PROBE)).ok
    with monkeypatch.context() as broken:
        broken.setattr(verifying, "_COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
        clock.advance(DAY + timedelta(minutes=20))

        async def failed() -> bool:
            return await count(site, OPEN, code=auditing.FAILED) == 1

        await until(failed, clock)
        assert (await site.platform.probes.one(auditing.PROBE)).ok
        clock.advance(DAY)
        late = await site.platform.probes.one(auditing.PROBE)
        assert not late.ok and late.cure and await count(site, KEPT) == 0
    clock.advance(timedelta(minutes=11))

    await until(lambda: _made(site, 1), clock)

    assert (await site.platform.probes.one(auditing.PROBE)).ok
    assert await count(site, OPEN, code=auditing.FAILED) == 0


async def test_reports_are_kept_as_long_as_the_setting_says(site: Site, clock: FrozenClock) -> None:
    await a_day_later(site, clock, 1)
    (first,) = (await admin(site)).json()["items"]

    clock.advance(29 * DAY)
    await until(lambda: _made(site, 2), clock)
    assert first["id"] in await _listed(site)
    clock.advance(DAY + timedelta(minutes=11))

    async def gone() -> bool:
        return first["id"] not in await _listed(site)

    await until(gone, clock)
    assert await count(site, KEPT) == 2


async def _listed(site: Site) -> list[str]:
    return [each["id"] for each in (await admin(site)).json()["items"]]


async def test_two_that_tick_keep_one_report(site: Site, clock: FrozenClock) -> None:
    await until(lambda: _begun(site))
    await site.platform.scheduler.stop()
    audit = next(duty for duty in site.platform.scheduler._duties if duty.name == "audit")
    clock.advance(DAY)

    made = await asyncio.gather(audit.run(), audit.run())

    assert sorted(made) == [0, 1] and await count(site, KEPT) == 1


async def test_nobody_waits_while_a_long_log_is_verified(site: Site, clock: FrozenClock) -> None:
    # Given a log of which the verification takes a while
    await deleted(site, clock)
    entries, heads = site.folder / "entries", site.folder / "heads"
    async with site.platform.database.read() as reader:
        (row,) = await reader.rows("SELECT body FROM evidence_entry")
        (head,) = await reader.rows("SELECT public_key FROM evidence_head")
    entries.write_bytes((row["body"].encode() + b"\n") * 100_000)
    heads.write_bytes(b"")

    # When it is verified, and meanwhile somebody looks at the time
    gaps = []

    async def look() -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(0.005)
            gaps.append(loop.time() - before)
            before = loop.time()

    looking = asyncio.create_task(look())
    with entries.open("r+b") as opened, heads.open("r+b") as none:
        audit = await verifying.verified(opened, none, [head["public_key"]])
    looking.cancel()

    # Then it was verified elsewhere
    assert audit.failure is not None and audit.failure.fault == "no_head"
    assert max(gaps) < 0.25 and len(gaps) > 3


async def test_a_verification_that_takes_too_long_is_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    program = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    monkeypatch.setattr(verifying, "_COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(verifying, "_SECONDS", 1.0)

    with (tmp_path / "a").open("w+b") as entries, (tmp_path / "b").open("w+b") as heads, pytest.raises(LogNotVerified):
        await verifying.verified(entries, heads, [])

    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


async def test_the_commands_list_and_show_what_is_kept(site: Site, clock: FrozenClock, tmp_path: Path) -> None:
    assert "None yet" in (await statuette(site, "evidence", "reports")).stdout
    await deleted(site, clock)
    await a_day_later(site, clock, 1)

    (listed,) = json.loads((await statuette(site, "evidence", "reports", "--json")).stdout)
    told = await statuette(site, "evidence", "reports")
    shown = await statuette(site, "evidence", "report", "--kept", listed["id"], "--html", str(tmp_path / "page.html"))
    exact = await statuette(site, "evidence", "report", "--kept", listed["id"], "--json")

    assert listed["id"] in told.stdout and "in order" in told.stdout
    assert "operators_access" in shown.stdout
    assert "<h2>Safeguards</h2>" in (tmp_path / "page.html").read_text()
    assert f"sha256:{hashlib.sha256(exact.stdout.rstrip().encode()).hexdigest()}" == listed["digest"]

    # Whoever has the file and the keys checks the signature without the deployment
    file, keys = site.folder / "report.json", site.folder / "keys.json"
    file.write_text(exact.stdout)
    async with site.platform.database.read() as reader:
        (row,) = await reader.rows("SELECT public_key FROM evidence_head")
    keys.write_bytes(canonical(PublicKeys(keys=(PublicKey(public_key=bytes.fromhex(row["public_key"])),))))
    whole = json.loads((await _checked(site, "--key", str(keys), "--json")).stdout)
    assert (whole["signed"], whole["key_from"], whole["digest"]) == (True, "keys", listed["digest"])
    file.write_text(json.dumps(json.loads(exact.stdout), indent=4))  # an editor tidied it up
    assert listed["digest"] in (await _checked(site, "--key", str(keys))).stdout
    assert "names itself" in (await _checked(site)).stdout
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    keys.write_bytes(canonical(PublicKeys(keys=(PublicKey(public_key=stranger),))))
    assert "key_unknown" in (await _checked(site, "--key", str(keys), code=1)).stdout
    file.write_text(exact.stdout.replace('"overdue":0', '"overdue":1'))
    assert "not_signed" in (await _checked(site, code=1)).stdout
    file.write_text("{}")
    await _checked(site, code=2)

    assert json.loads((await statuette(site, "evidence", "reports", "--before", listed["id"], "--json")).stdout) == []
    await statuette(site, "evidence", "report", "--kept", "rep_nothing", code=2)


async def _checked(site: Site, *arguments: str, code: int = 0) -> Done:
    return await statuette(site, "evidence", "check-report", "report.json", *arguments, code=code)
