"""Who asks what is held about them gets all of it, in a file that people and programs can read, however much it is."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from statuette.dataset import Dataset, File
from statuette.kernel.domain.rights.archive import archive, dictionary
from statuette.policy import compile_policy
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from statuette_policies import BASELINE
from tests.integration.rights.people import Belongings, ask, confirm, settled_person, try_ask
from tests.integration.road.faults import count, until
from tests.site import Site, Visitor
from tests.soak import effort

# Columns of a person's that a copy does not have under their own name, and why.
ELSEWHERE = {
    "account.email_index": "a keyed hash of the address, which is in the copy",
    "consent_record.granted": "by its name",
    "credit_hold.id": "a hold is named by its job",
    "credit_lot.account_id": "the same everywhere",
    "credit_hold_lot": "how lots were used up, which the lots and holds themselves tell",
    "ledger_entry": "the two legs of each transfer, which is in the copy",
    "ledger_transfer.transfer_key": "what makes a transfer happen once",
    "ledger_transfer.actor": "who acted for us",
    "idempotency_key.principal": "the id of the account",
    "privacy_request.contact": "the address, kept for letters about an erasure",
    "support_question.contact": "of people without an account alone",
    "signin_code.email_index": "a keyed hash of the address, which is in the copy",
}
# Kinds of data of which the person of this test has none.
NONE_OF_IT = {"policy_notices", "tombstones", "takedowns", "stream_tickets"}


async def copy_of(person: Visitor, kind: str = "access") -> zipfile.ZipFile:
    await confirm(person)
    request = await ask(person, kind)
    answer = await fetch(person, (await link(person, request["id"]))["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


async def link(person: Visitor, request_id: str) -> dict[str, Any]:
    answer = await person.http.post(f"/v1/account/requests/{request_id}/download-links")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def fetch(person: Visitor, url: str) -> httpx.Response:
    """As somebody who has nothing but the address."""
    async with httpx.AsyncClient(base_url=person.site.url) as anybody:
        return await anybody.get(url.removeprefix(person.site.url))


@pytest.mark.rule("right.access", "right.portability")
async def test_a_copy_has_every_photo_every_figurine_and_every_column_that_is_about_the_person(
    site: Site, clock: FrozenClock
) -> None:
    # Given two people who have something of everything
    ada: Belongings = await settled_person(site, "Ada", paid=True)
    ben: Belongings = await settled_person(site, "Benjamin")
    await ask(ada.person, "objection", purpose="security", statement="in my own words")
    await until(lambda: _receipts(site, 2), clock)

    # When one asks for a copy
    copy = await copy_of(ada.person)

    # Then it is whole, names everything of hers and nothing of his
    assert copy.testzip() is None
    everything = b"".join(copy.read(name) for name in copy.namelist() if name.endswith(".json")).decode()
    for marker in (ada.person.account_id, ada.person.email, *ada.ids, "Ada of the test", "in my own words"):
        assert marker in everything, marker
    assert [marker for marker in ben.markers if marker in everything] == []

    # Pictures are as they are stored
    figurines = [each for each in ada.ids if each.startswith("fig_")]
    assert {f"figurines/{each}.png" for each in figurines} <= set(copy.namelist())
    assert f"photos/{ada.ids[0]}.jpg" in copy.namelist()
    (shown,) = [
        each for each in (await ada.person.http.get("/v1/figurines")).json()["items"] if each["id"] == figurines[0]
    ]
    original = await ada.person.http.get(shown["images"]["original"].removeprefix(site.url))
    assert copy.read(f"figurines/{figurines[0]}.png") == original.content

    # And no column that is about her is missing
    assert missing_columns(site, copy) == []


def missing_columns(site: Site, copy: zipfile.ZipFile) -> list[str]:
    policy = compile_policy((BASELINE,))
    found = []
    for dataset in site.platform.datasets.values():
        personal = [field for field in dictionary({dataset.name: dataset}, policy) if field.held_back is None]
        if not personal or dataset.name in NONE_OF_IT:
            continue
        records = json.loads(copy.read(f"data/{dataset.name}.json"))
        there = {key for record in records for key in record}
        found += [
            f"{field.table}.{field.column}"
            for field in personal
            if field.column not in there
            and f"{field.table}.{field.column}" not in ELSEWHERE
            and field.table not in ELSEWHERE
        ]
    return found


async def test_the_page_opens_without_a_network_and_whatever_a_brand_is_called(site: Site) -> None:
    await site.apply_brand("alpha")
    person = await site.person()

    page = (await copy_of(person, "portability")).read("index.html").decode()

    assert "<h1>Your data at Alpha</h1>" in page
    assert "default-src 'none'" in page
    assert "http://" not in page and "https://" not in page and "<script" not in page
    assert 'href="data/accounts.json"' in page


async def test_a_copy_wants_a_fresh_code_and_its_address_works_for_a_while_for_that_copy_alone(
    site: Site, clock: FrozenClock
) -> None:
    ada, eve = await site.person(), await site.person()
    clock.advance(timedelta(minutes=11))
    assert (await try_ask(ada, "access")).json()["code"] == "identity_not_confirmed"
    await confirm(ada)
    request = await ask(ada, "access")
    assert request["state"] == "completed"
    address = await link(ada, request["id"])

    # Nobody else gets such an address, and none works when it is altered or old
    await confirm(eve)
    refused = await eve.http.post(f"/v1/account/requests/{request['id']}/download-links")
    assert refused.status_code == 404
    other = await ask(eve, "access")
    for altered in (
        address["url"].replace(request["id"], other["id"]),
        address["url"][:-1] + ("a" if address["url"][-1] != "a" else "b"),
    ):
        assert (await fetch(ada, altered)).status_code == 404
    assert (await fetch(ada, address["url"])).status_code == 200
    clock.advance(timedelta(minutes=15))
    assert (await fetch(ada, address["url"])).status_code == 404

    # A new one wants a fresh code, and none is given a week later
    again = await ada.http.post(f"/v1/account/requests/{request['id']}/download-links")
    assert again.json()["code"] == "identity_not_confirmed"
    clock.advance(timedelta(days=7))
    await confirm(ada)
    late = await ada.http.post(f"/v1/account/requests/{request['id']}/download-links")
    assert late.status_code == 404


async def _receipts(site: Site, number: int) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM receipt") >= number


class _Nothing:
    async def export(self, *_: Any) -> list[dict[str, Any]]:
        return []


@pytest.mark.parametrize("profile_name", ["embedded"], indirect=True)
async def test_thousands_of_figurines_are_streamed_in_bounded_memory(site: Site, tmp_path: Path) -> None:
    # Given thousands of pictures of 100 kB
    pictures = effort(2_000, soaking=10_000)
    storage = MemoryStorage()
    await storage.put("figurines/one.png", bytes(range(256)) * 400, media_type="image/png")

    async def files(_: Any, __: str, after: str, limit: int) -> list[File]:
        first = int(after or 0)
        return [
            File(f"{number:05}", "figurines/one.png", f"figurines/{number:05}.png")
            for number in range(first + 1, min(first + limit, pictures) + 1)
        ]

    figurines = Dataset(name="many", title="Many", tables=(), handler=_Nothing(), files=files)  # type: ignore[arg-type]
    policy = compile_policy((BASELINE,))

    # When they are written
    before, most, path = _resident_kb(), 0, tmp_path / "copy.zip"
    pieces = archive(
        site.platform.database,
        storage,
        {"many": figurines},
        policy,
        account_id="acc_nobody",
        brand_title="Alpha",
        made_at=site.platform.clock.now(),
    )
    with path.open("wb") as written:
        async for piece in pieces:
            written.write(piece)
            most = max(most, len(piece))

    # Then the file is whole, and memory grew by what the list of its entries takes
    with zipfile.ZipFile(path) as copy:
        assert len(copy.namelist()) == pictures + 2
        assert copy.read(f"figurines/{pictures:05}.png") == bytes(range(256)) * 400
    assert path.stat().st_size > pictures * 100_000
    assert _resident_kb() - before < 60_000
    assert most < 2_000_000


def _resident_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
