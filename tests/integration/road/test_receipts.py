"""Whoever's data was deleted gets a receipt: after a check of its own, in a log that cannot be rewritten, and only then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuette.evidence import (
    Check,
    StoreKind,
    StoreResult,
    leaf_hash,
    read_entry,
    recompute,
    verify,
    verify_consistency,
)
from statuette.ports.keys import KeyStoreUnavailable
from statuette.testing import FrozenClock
from tests.commands import statuette
from tests.integration.road.faults import count, until
from tests.profiles import Profile
from tests.site import Site, Visitor, serving

DAY = timedelta(days=1)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock) as site:
        await site.apply_brand()
        yield site


async def test_who_deletes_a_photo_gets_a_receipt_that_proves_it_offline(site: Site, clock: FrozenClock) -> None:
    # Given a photo that a figurine was made from
    person = await site.person()
    upload = await person.upload()
    await person.finished((await person.order(upload["id"]))["id"])

    # When it is deleted
    assert (await person.http.delete(f"/v1/uploads/{upload['id']}")).status_code == 204
    file = await _receipt_file(person, upload["id"], clock)

    # Then the file verifies, and says what went, by which rule, where, and who was given it
    assert verify(file).verified
    bundle = msgspec.json.decode(file)
    receipt = read_entry(msgspec.json.encode(bundle["receipt"], order="sorted"))
    assert bundle["opening"]["record"] == upload["id"]
    assert (receipt.rule, receipt.dataset, receipt.action) == ("upload.asked", "uploads", "delete")
    assert receipt.due_at <= receipt.intent_at <= receipt.executed_at <= receipt.verified_at
    objects, rows = receipt.stores
    assert (objects.kind, objects.outcome, objects.count) == (StoreKind.objects, StoreResult.deleted, 1)
    assert (rows.kind, rows.check) == (StoreKind.database, Check.row_absent)
    assert upload["id"] not in bundle["receipt"].values()

    # And not once a byte of it is another
    assert not verify(file.replace(b'"index":', b'"index":1', 1)).verified


async def test_a_receipt_is_for_its_holder_alone(site: Site, clock: FrozenClock) -> None:
    person, other = await site.person(), await site.person()
    upload = await person.upload()
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    await _receipt_file(person, upload["id"], clock)
    (listed,) = (await person.http.get("/v1/account/receipts")).json()["items"]

    answer = await other.http.get(f"/v1/account/receipts/{listed['id']}")

    assert answer.status_code == 404
    assert (await other.http.get("/v1/account/receipts")).json()["items"] == []


async def test_receipts_are_paged_newest_first(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    uploads = [(await person.upload())["id"] for _ in range(3)]
    for upload in uploads:
        await person.http.delete(f"/v1/uploads/{upload}")
        clock.advance(timedelta(seconds=1))
        await _receipt_file(person, upload, clock)

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await person.http.get("/v1/account/receipts", params=query)).json()
        seen += [item["record_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == uploads[::-1]


async def test_no_receipt_before_the_photo_is_really_gone(
    site: Site, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a store that says it deletes and does not, and rows that stay
    person = await site.person()
    upload = await person.upload()
    storage, handler = site.platform.plugins.storage, site.platform.datasets["uploads"].handler

    async def nothing(*_: Any) -> None: ...

    with monkeypatch.context() as broken:
        broken.setattr(type(storage), "delete_many", nothing)
        broken.setattr(type(storage), "purge_versions", nothing)
        await person.http.delete(f"/v1/uploads/{upload['id']}")
        await until(lambda: _has_finding(site, "enforcement_delayed"), clock)
        assert await count(site, "SELECT COUNT(*) AS n FROM receipt") == 0

    with monkeypatch.context() as broken:
        broken.setattr(type(handler), "erase", nothing)
        await until(lambda: _has_finding(site, "erasure_not_verified"), clock)
        assert await count(site, "SELECT COUNT(*) AS n FROM receipt") == 0

    # When both do what they say
    file = await _receipt_file(person, upload["id"], clock)

    # Then the receipt comes
    assert verify(file).verified
    assert await count(site, "SELECT COUNT(*) AS n FROM receipt") == 1


# PostgreSQL's receipts say instead that dead rows last until a vacuum.
@pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
async def test_a_receipt_counts_only_once_the_row_is_gone_from_disk_too(
    site: Site, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a write-ahead log that cannot be truncated
    person = await site.person()
    upload = await person.upload()

    async def in_the_way(*_: Any) -> bool:
        return False

    with monkeypatch.context() as broken:
        broken.setattr(type(site.platform.database.engine), "truncate_log", in_the_way)
        await person.http.delete(f"/v1/uploads/{upload['id']}")
        await until(lambda: _is_verified(site), clock)
        clock.advance(DAY)
        (listed,) = (await person.http.get("/v1/account/receipts")).json()["items"]
        answer = await person.http.get(f"/v1/account/receipts/{listed['id']}")

        # Then there is no file yet, and the reason is told
        assert (answer.status_code, answer.json()["code"]) == (409, "receipt_not_sealed")

    # When it can
    assert verify(await _receipt_file(person, upload["id"], clock)).verified


async def test_the_log_is_what_its_heads_say_and_only_grows(site: Site, clock: FrozenClock) -> None:
    # Given a head, and more receipts after it
    person = await site.person()
    heads = []
    for _ in range(3):
        upload = await person.upload()
        await person.http.delete(f"/v1/uploads/{upload['id']}")
        await _receipt_file(person, upload["id"], clock)
        heads.append((await person.http.get("/v1/evidence/head")).json())

    # Then each head is over as many entries, and the newest begins with the first
    async with site.platform.database.read() as reader:
        entries = [
            row["body"].encode() for row in await reader.rows("SELECT body FROM evidence_entry ORDER BY sequence")
        ]
    roots = [msgspec.convert(head["root"], bytes) for head in heads]
    assert [recompute(leaf_hash_input for leaf_hash_input in entries[: head["size"]]) for head in heads] == roots
    later = (await person.http.get(f"/v1/evidence/head/since/{heads[0]['size']}")).json()
    proof = msgspec.convert(later["consistency"], tuple[bytes, ...])
    assert verify_consistency(heads[0]["size"], roots[0], later["head"]["size"], roots[-1], proof)
    assert (await person.http.get("/v1/evidence/head/since/99")).status_code == 404
    assert leaf_hash(entries[0]) != leaf_hash(entries[1])


async def test_what_is_said_of_an_erased_account_is_nobodys(site: Site, clock: FrozenClock) -> None:
    # Given an account with a receipt
    person = await site.person()
    upload = await person.upload()
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    await _receipt_file(person, upload["id"], clock)

    # When the account is erased
    await _end(site, person.account_id)
    await until(lambda: _entries(site, 2), clock)

    # Then the log has both entries, nothing opens them, and the key was looked for
    async with site.platform.database.read() as reader:
        left = await reader.rows("SELECT * FROM receipt WHERE salt IS NOT NULL OR account_id IS NOT NULL")
        entries = [row["body"] for row in await reader.rows("SELECT body FROM evidence_entry ORDER BY sequence")]
    assert left == []
    assert not any(person.account_id in entry or upload["id"] in entry for entry in entries)
    stores = read_entry(entries[1].encode()).stores
    (keys,) = [store for store in stores if store.kind is StoreKind.keys]
    assert (keys.kind, keys.outcome, keys.check) == (StoreKind.keys, StoreResult.key_destroyed, Check.key_absent)


@pytest.mark.parametrize("fails", [True, False], ids=["refuses", "pretends"])
async def test_an_account_stays_while_its_key_does(
    site: Site, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    # Given a store of keys that refuses to destroy one, or only says that it did
    person = await site.person()

    async def destroy(*_: Any) -> None:
        if fails:
            raise KeyStoreUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(type(site.platform.plugins.key_store), "destroy", destroy)
        await _end(site, person.account_id)
        await until(lambda: _has_finding(site, "enforcement_delayed"), clock)

        # Then rows, which only the key can read, are still there to be deleted, and nothing is said
        assert await count(site, "SELECT COUNT(*) AS n FROM account") == 1
        assert await count(site, "SELECT COUNT(*) AS n FROM receipt") == 0

    # When it does
    await until(lambda: _entries(site, 1), clock)

    # Then the account is gone
    assert await count(site, "SELECT COUNT(*) AS n FROM account") == 0


async def _end(site: Site, account_id: str) -> None:
    """Have the account's last day come."""
    async with site.platform.database.transaction() as tx:
        await tx.execute(
            "UPDATE deadline SET due_at = :now WHERE record_id = :id AND rule = 'account.erase'",
            id=account_id,
            now=tx.now,
        )


async def _receipt_file(person: Visitor, record_id: str, clock: FrozenClock) -> bytes:
    """The record's receipt, once it can be downloaded."""
    files: dict[str, bytes] = {}

    async def sealed() -> bool:
        clock.advance(timedelta(seconds=5))
        for item in (await person.http.get("/v1/account/receipts")).json()["items"]:
            if item["record_id"] == record_id and item["sealed"]:
                files[record_id] = (await person.http.get(f"/v1/account/receipts/{item['id']}")).content
        return record_id in files

    await until(sealed)
    return files[record_id]


async def _has_finding(site: Site, code: str) -> bool:
    return await count(site, f"SELECT COUNT(*) AS n FROM finding WHERE code = '{code}'") > 0


async def _is_verified(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM deadline WHERE state = 'verified'") == 1


async def _entries(site: Site, wanted: int) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM evidence_entry") == wanted


async def test_a_receipt_is_handed_out_by_a_command(site: Site, clock: FrozenClock, tmp_path: Path) -> None:
    # Given a deleted photo
    person = await site.person()
    upload = await person.upload()
    await person.http.delete(f"/v1/uploads/{upload['id']}")
    downloaded = msgspec.json.decode(await _receipt_file(person, upload["id"], clock))
    (listed,) = (await person.http.get("/v1/account/receipts")).json()["items"]

    # When an operator asks for its receipt, by either id
    printed = await statuette(site, "evidence", "receipt", upload["id"])
    written = tmp_path / "receipt.json"
    await statuette(site, "evidence", "receipt", listed["id"], "--out", str(written))

    # Then it is the file that its holder can download, and verifies
    assert msgspec.json.decode(printed.stdout) == msgspec.json.decode(written.read_bytes()) == downloaded
    await statuette(site, "evidence", "verify", str(written))

    # And of what never was there is none
    missing = await statuette(site, "evidence", "receipt", "upl_01kf0rdqg0g2ws8pydy3yevfrn", code=2)
    assert "There is no such receipt" in missing.stderr and "cure:" in missing.stderr
