"""Every statement that the platform runs finds its rows by an index, on a PostgreSQL that is full, and every index is needed.

A tour of the API and of the scheduler's duties over a full database records what is really sent, with its parameters. Each
statement is then explained twice: as it was sent, and as the plan that PostgreSQL keeps for a statement prepared long ago.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

import statuette.kernel
from statuette.kernel.app import any_live_brand
from statuette.kernel.backup import upkeep
from statuette.kernel.data_map.explanation import explain_record
from statuette.kernel.db.engines import PostgresConnection, TunedPostgres
from statuette.kernel.db.schema import migrate, tables
from statuette.kernel.db.sql import numbered
from statuette.kernel.doctor import examine
from statuette.kernel.domain.brands import repository as brand_repository
from statuette.kernel.domain.credits import repository as credits_repository
from statuette.kernel.domain.credits.checks import EQUATION, PAGED
from statuette.kernel.domain.generations import budget
from statuette.kernel.domain.generations import repository as generations_repository
from statuette.kernel.domain.rights import repository as rights_repository
from statuette.kernel.domain.takedowns import repository as takedown_repository
from statuette.kernel.domain.usage.counting import Counting
from statuette.kernel.domain.usage.improvement import Export
from statuette.kernel.enforcement import reconciliation
from statuette.kernel.enforcement.plans import brand_of as plan_brand_of
from statuette.kernel.evidence import holders
from statuette.kernel.evidence.receipts import of_subject
from statuette.kernel.evidence.report import audit_report
from statuette.kernel.http.answers import encode_cursor
from statuette.kernel.http.application import litestar_app
from statuette.kernel.idempotency.once import Once, RequestInFlight
from statuette.kernel.journal.entries import Due, Erasing, Wish
from statuette.kernel.work.presence import processes
from statuette.kernel.work.queues import QUEUES
from statuette.ports.image import RateLimitedByProvider
from statuette.testing.scripted_image import Hang, Raise
from statuette.testing.servers import database_at
from statuette.values import new_id
from tests.filling import fill, fill_evidence, fill_journal
from tests.integration.rights.people import ask, buy, change_address, come_back, confirm
from tests.integration.road.faults import until
from tests.profiles import embedded
from tests.publishing import reword
from tests.site import Site, Visitor, serving

JOBS = 20_000
LARGE_ROWS = 1_500
MANY_ROWS = 2_000
MUCH = 200  # in the planner's units: a page read in a row costs 1

_OF_A_BUSY_PERSON = {
    "generation": 1000,
    "upload": 200,
    "figurine": 1000,
    "credit_lot": 50,
    "credit_hold": 1000,
    "ledger_transfer": 2000,
    "session": 50,
}

# What reads much on purpose, by the beginning of the statement, and why.
ON_PURPOSE: Mapping[str, str] = {
    "UPDATE work_item SET sent_at = NULL, lease = NULL, held_by = NULL": "the start of the only process: all hints are lost",
    "UPDATE idempotency_key SET lease_until = :now WHERE lease_until IS NOT NULL": "the start of the only process",
    "SELECT queue, COUNT(*) AS items": "a gauge, every ten seconds, of what waits",
    "SELECT COUNT(*) AS n FROM work_item WHERE due_at": "asked by tests alone: whether all is done",
    "SELECT 'brand_equation'": "`statuette ledger verify`: sums the whole ledger",
    "DELETE FROM idempotency_key WHERE principal": "an account is erased: rare, and the table holds a day",
    "SELECT status, resource_id, created_at FROM idempotency_key WHERE principal": "a person asks for their data: rare, and the"
    " table holds a day",
}


KERNEL = Path(statuette.kernel.__file__).parent
# What no tour comes along, by where it stands and how it begins, and why.
NOT_ON_TOUR: Mapping[str, str] = {
    "backup/making.py: SELECT due_at FROM deadline WHERE record_id = ?": "of a copy of a SQLite database, by an index",
    "data_map/gathering.py: SELECT c.table_name": "PostgreSQL's own catalogue",
    "data_map/gathering.py: SELECT m.name": "SQLite's own catalogue",
    "db/history.py: SELECT 1 AS found FROM sqlite_master": "SQLite's own catalogue",
    "db/migrations/": "indexes of a part of a table",
    "drill/": "an operator's drill, now and then: catalogues, marks by their key, what waits for work just now",
    "enforcement/enforcer.py: UPDATE deadline SET erased_at = NULL WHERE id": "where an erasure did not erase",
    "db/migrator.py: SELECT indisvalid FROM pg_index": "PostgreSQL's own catalogue, while migrating",
}
# While an account's erasure is replayed, and another process is at it or not.
SOMETIMES_ON_TOUR: Mapping[str, str] = {
    "enforcement/at_once.py: UPDATE work_item SET due_at": "by keys",
    "enforcement/at_once.py: SELECT d.id FROM deadline a": "by key and by account",
}


@dataclass
class Statement:
    sql: str
    parameters: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Tour:
    """What was recorded, and where it was."""

    url: str
    statements: list[Statement]
    routes_left_out: list[str]


@pytest.fixture(scope="module")
def tour(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    name = f"plans_{uuid4().hex}"
    asyncio.run(_execute(postgres_server, f"CREATE DATABASE {name}"))
    url = database_at(postgres_server, name)
    yield asyncio.run(_toured(url, tmp_path_factory.mktemp("tour")))
    asyncio.run(_execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql, timeout=300)
    finally:
        await connection.close()


async def _toured(url: str, folder: Path) -> Tour:
    recorded: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    fetch = PostgresConnection.fetch

    async def recording(self: PostgresConnection, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        recorded[sql].append(parameters)
        return await fetch(self, sql, parameters)

    engine = TunedPostgres(url)
    await engine.open()
    await migrate(engine)
    await engine.close()
    brands = [new_id("brd", datetime.now(UTC)) for _ in range(3)]
    connection = await asyncpg.connect(url)
    for table in tables():
        # Statistics stay what they are when the tour begins.
        await connection.execute(f"ALTER TABLE {table._meta.tablename} SET (autovacuum_enabled = off)")
    await fill(connection, jobs=JOBS, brands=brands, now=datetime.now(UTC))
    await fill_evidence(connection, entries=JOBS, now=datetime.now(UTC))
    await fill_journal(connection, streams=JOBS, now=datetime.now(UTC))
    # What is filled in has no objects: that is no business of this test.
    await connection.execute("INSERT INTO time_mark (name, at) VALUES ('reconciliation', now())")
    await connection.close()
    await _execute(url, "VACUUM ANALYZE")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PostgresConnection, "fetch", recording)
        async with serving(folder, embedded(url)) as site:
            guide = Guide(site)
            await guide.lead()
            left_out = guide.routes_left_out()
    # The first and the last of each: often one that finds nothing, and one that does.
    statements = [Statement(sql, [each[0], each[-1]]) for sql, each in recorded.items()]
    return Tour(url, statements, left_out)


class Guide:
    """Leads through everything that a platform does."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._asked: set[tuple[str, str]] = set()

    async def lead(self) -> None:
        site = self._site
        for slug, host in (("alpha", "127.0.0.1"), ("beta", "beta.test")):
            await site.apply_brand(slug, host=host, more='purposes = ["improvement", "marketing"]')
        await site.apply_brand("beta", host="other.test")
        async with site.platform.database.read() as reader:
            await brand_repository.keys_of(reader, (await site.platform.brands.by_host("other.test")).id)
        person, other = await self._person(), await self._person()
        await self._busy(person)
        await self._photos(person)
        job = await self._jobs(person)
        await self._pictures(person)
        await self._usage(person)
        await self._account(person)
        await self._consents(person)
        await self._evidence(person)
        await self._rights()
        await self._explained(person)
        await self._policy(person)
        await self._statements(person)
        await self._news(person)
        await self._takedowns(person)
        await self._support(person)
        await self._operator(person, job)
        await self._holds(person)
        await self._plans(person)
        await self._mishaps(person)
        await self._other_processes()
        await self._restored(other)
        await self._platform(person, other)

    def routes_left_out(self) -> list[str]:
        """Routes that nobody asked for."""
        return sorted(
            f"{method} {route.path_format}"
            for route in litestar_app(self._site.platform).routes
            for method in getattr(route, "http_methods", set()) - {"OPTIONS", "HEAD"}
            if not any(method == asked and _shape(route.path_format).fullmatch(path) for asked, path in self._asked)
        )

    async def _note(self, request: httpx.Request) -> None:
        self._asked.add((request.method, request.url.path))

    async def _busy(self, person: Visitor) -> None:
        """Have somebody look back on years of jobs, photos, pictures and credits."""
        connection = await asyncpg.connect(self._site.profile.database_url)
        brand = await connection.fetchval("SELECT brand_id FROM account WHERE id = $1", person.account_id)
        for table, rows in _OF_A_BUSY_PERSON.items():
            over = "AND finished_at IS NOT NULL" if table == "generation" else ""
            await connection.execute(
                f"UPDATE {table} SET account_id = $1, brand_id = $2 WHERE id IN"
                f" (SELECT id FROM {table} WHERE account_id <> $1 {over} LIMIT {rows})",
                person.account_id,
                brand,
            )
        await connection.execute("ANALYZE")
        await connection.close()

    async def _person(self) -> Visitor:
        visitor = self._site.visitor()
        visitor.http.event_hooks["request"].append(self._note)
        await visitor.sign_in(f"person-{uuid4().hex}@example.org")
        await visitor.agree()
        await self._site.grant(visitor, 40)
        return visitor

    async def _photos(self, person: Visitor) -> None:
        photo = await person.upload()
        again = await person.try_upload(headers={"Idempotency-Key": "photo"})
        assert again.status_code == 201
        assert (await person.try_upload(headers={"Idempotency-Key": "photo"})).status_code == 201
        await _get(person, "/v1/uploads", "/v1/uploads?limit=1", f"/v1/uploads/{photo['id']}")
        page = (await person.http.get("/v1/uploads?limit=1")).json()
        await _get(person, f"/v1/uploads?limit=1&cursor={page['next_cursor']}")
        await _get(person, photo["image_url"].removeprefix(self._site.url))
        for method, status in (("PUT", 200), ("DELETE", 200)):
            assert (await person.http.request(method, f"/v1/uploads/{photo['id']}/saved")).status_code == status
        assert (await person.http.delete(f"/v1/uploads/{photo['id']}")).status_code == 204

    async def _jobs(self, person: Visitor) -> str:
        photo = await person.upload()
        key = {"Idempotency-Key": "order"}
        for _ in range(2):
            assert (await person.try_order(photo["id"], headers=key)).status_code == 202
        job = await person.finished((await person.order(photo["id"], count=2))["id"])
        redo = await person.finished((await person.order(parent=job["id"]))["id"])
        figurine = job["figurines"][0]["id"]
        refined = await person.order(inputs=[{"figurine_id": figurine}], style="chibi")
        await person.finished(refined["id"])
        self._site.scripted.script(Hang())
        calls = len(self._site.scripted.calls)
        hanging = await person.order(photo["id"])
        await self._site.scripted.wait_for_calls(calls + 1)
        assert (await person.http.post(f"/v1/generations/{hanging['id']}/cancel")).status_code == 200
        ticket = (await person.http.post(f"/v1/generations/{redo['id']}/stream-tickets")).json()["ticket"]
        await _get(
            person,
            "/v1/generations",
            "/v1/generations?state=succeeded&limit=1",
            f"/v1/generations/{job['id']}",
            f"/v1/generations/{job['id']}/events",
            f"/v1/generations/{redo['id']}/events?ticket={ticket}",
        )
        page = (await person.http.get("/v1/generations?limit=1")).json()
        await _get(person, f"/v1/generations?limit=1&cursor={page['next_cursor']}")
        await self._site.settled()
        assert (await person.http.delete(f"/v1/uploads/{photo['id']}")).status_code == 204
        return str(job["id"])

    async def _pictures(self, person: Visitor) -> None:
        listed = (await person.http.get("/v1/figurines?limit=2")).json()
        first = listed["items"][0]
        await _get(person, f"/v1/figurines?limit=2&cursor={listed['next_cursor']}", f"/v1/figurines/{first['id']}")
        await _get(person, *[address.removeprefix(self._site.url) for address in first["images"].values()])
        assert (await person.http.delete(f"/v1/figurines/{first['id']}")).status_code == 204

    async def _usage(self, person: Visitor) -> None:
        """Also what is old enough to be counted and removed, and a week of which nothing is left."""
        figurine = (await person.http.get("/v1/figurines?limit=1")).json()["items"][0]["id"]
        visit = await person.http.post("/v1/usage/events", json={"events": [{"page": "home", "seconds": 9}]})
        assert visit.json() == {"recorded": 1}
        rating = f"/v1/figurines/{figurine}/rating"
        assert (await person.http.put(rating, json={"stars": 4})).status_code == 200
        await _get(person, rating)
        assert (await person.http.delete(rating)).status_code == 204
        for query in ("", f"?week=2026-01-05&cursor={encode_cursor('2026-01-05.00007')}"):
            told = await self._operates("GET", f"/admin/v1/usage{query}")
            assert told.status_code == 200, told.text
        (brand,) = [each for each in self._site.platform.brands.loaded() if each.slug == "alpha"]
        said = await person.http.put("/v1/account/consents/improvement", json={"granted": True})
        assert said.status_code == 200, said.text
        database = self._site.platform.database
        assert [each async for each in Export(database, brand, self._site.platform.plugins.storage).examples()]
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE usage_event SET created_at = :old WHERE id IN"
                " (SELECT id FROM usage_event WHERE account_id = :account_id AND kind = 'visited')",
                account_id=person.account_id,
                old=datetime(2019, 1, 1, tzinfo=UTC),
            )
        await Counting(database).run()
        for _ in range(2):
            await self._site.platform.enforcer.sweep()

    async def _account(self, person: Visitor) -> None:
        changed = await person.http.patch("/v1/account", json={"name": "Ada", "locale": "de"}, headers={"Sec-GPC": "1"})
        assert changed.status_code == 200, changed.text
        await _get(
            person,
            "/v1/account",
            "/v1/account/consents",
            "/v1/consents/texts",
            "/v1/credits",
            "/v1/credits/history?limit=2",
        )
        page = (await person.http.get("/v1/credits/history?limit=2")).json()
        await _get(person, f"/v1/credits/history?limit=2&cursor={page['next_cursor']}")
        await _get(person, "/v1/site", "/v1/styles", "/healthz", "/readyz")

    async def _consents(self, person: Visitor) -> None:
        await _get(person, "/v1/account/consents/history?limit=1", "/v1/account/consents/history?purpose=generation")
        page = (await person.http.get("/v1/account/consents/history?limit=1")).json()
        await _get(person, f"/v1/account/consents/history?limit=1&cursor={page['next_cursor']}")

    async def _news(self, person: Visitor) -> None:
        said = await person.http.put("/v1/account/consents/marketing", json={"granted": True})
        assert said.status_code == 200, said.text
        operator = {"Authorization": f"Bearer {self._site.secret_keys['alpha']}"}
        texts = {"en": {"subject": "News", "text": "There is news."}}
        letter = await person.http.post("/admin/v1/news", json={"texts": texts}, headers=operator)
        assert letter.status_code == 202, letter.text
        told = await person.http.get(letter.headers["location"], headers=operator)
        assert told.status_code == 200
        await self._site.settled()
        address = self._site.mailer.sent_to(person.email)[-1].headers["List-Unsubscribe"].strip("<>")
        await _get(person, address.removeprefix(self._site.url))
        assert (await person.http.post(address)).status_code == 200

    async def _takedowns(self, person: Visitor) -> None:
        operator = {"Authorization": f"Bearer {self._site.secret_keys['alpha']}"}
        photo = await person.upload()
        job = await person.finished((await person.order(photo["id"]))["id"])
        figurine = job["figurines"][0]["id"]
        opened = []
        for picture in (photo["id"], figurine):
            asked = await person.http.post("/v1/takedowns", json={"email": "somebody@example.org", "picture": picture})
            assert asked.status_code == 202, asked.text
            opened.append(asked.json())
        state = await person.http.get(
            f"/v1/takedowns/{opened[0]['id']}", headers={"Takedown-Token": opened[0]["token"]}
        )
        assert state.status_code == 200, state.text
        await _get(person, "/v1/account/takedowns")
        for path in (
            "/admin/v1/takedowns?limit=1",
            f"/admin/v1/takedowns?state=open&cursor={encode_cursor(opened[1]['id'])}",
            f"/admin/v1/takedowns/{opened[0]['id']}",
            f"/admin/v1/takedowns/{opened[1]['id']}/pictures/{figurine}",
        ):
            told = await person.http.get(path, headers=operator)
            assert told.status_code == 200, (path, told.text)
        for case, verdicts in zip(opened, (("keep",), ("delete", "delete")), strict=True):
            for verdict in verdicts:
                decided = await person.http.post(
                    f"/admin/v1/takedowns/{case['id']}/decision", json={"decision": verdict}, headers=operator
                )
                assert decided.status_code == 200, decided.text
                if verdict == "delete" and decided.json()["state"] == "deleting":
                    appealed = await person.http.post(
                        f"/v1/account/takedowns/{case['id']}/appeal", json={"message": "It is me."}
                    )
                    assert appealed.status_code == 204, appealed.text
            written = await person.http.post(
                f"/admin/v1/takedowns/{case['id']}/reveal", json={"reason": "tour"}, headers=operator
            )
            assert written.status_code == 200, written.text
        old = "UPDATE takedown_case SET created_at = :then, next_at = NULL WHERE id = :id"
        async with self._site.platform.database.transaction() as tx:
            await tx.execute(old, id=opened[0]["id"], then=datetime(2019, 1, 1, tzinfo=UTC))
            await takedown_repository.set_next(tx, opened[1]["id"], tx.now)
        await self._site.platform.takedowns.look()

    async def _support(self, person: Visitor) -> None:
        """Two people ask, one of them with a token alone, and are answered; a third question is forgotten by everybody."""
        asked = {"subject": "Arms", "message": "Three?"}
        once = {"Idempotency-Key": "question"}
        files = {"attachment": ("note.txt", b"Three.", "text/plain")}
        stranger = self._site.visitor().http
        stranger.event_hooks["request"].append(self._note)
        roads = []
        for http, base, more in (
            (person.http, "/v1/account/support", {}),
            (stranger, "/v1/support", {"email": "somebody@example.org"}),
        ):
            for _ in range(2):
                again = await http.post(base, json=asked | more, headers=once)
                assert again.status_code == 201, again.text
            made = await http.post(base, data=asked | more, files=files)
            assert made.status_code == 201, made.text
            roads.append((http, f"{base}/{made.json()['id']}", {"Support-Token": made.json()["token"] or ""}))
        for http, path, token in roads:
            shown = await http.get(path, headers=token)
            attached = shown.json()["attachments"][0]["id"]
            assert (await http.get(f"{path}/attachments/{attached}", headers=token)).status_code == 200
            desk = f"/admin/v1/support/{path.rpartition('/')[2]}"
            for step, body in (("reveal", {"reason": "tour"}), ("answers", {"message": "Two."}), ("close", {})):
                told = await self._operates("POST", f"{desk}/{step}", json=body)
                assert told.status_code in (200, 201), told.text
            assert (await self._operates("POST", f"{desk}/reopen")).status_code == 200
            for tail in ("", f"/attachments/{attached}"):
                assert (await self._operates("GET", f"{desk}{tail}")).status_code == 200
            said = await http.post(f"{path}/messages", json={"message": "No."}, headers=once | token)
            assert said.status_code == 201, said.text
            assert (await http.post(f"{path}/close", headers=token)).status_code == 200
        page = (await person.http.get("/v1/account/support?limit=1")).json()
        await _get(person, f"/v1/account/support?limit=1&cursor={page['next_cursor']}")
        for query in ("", f"?state=open&cursor={encode_cursor(new_id('sup', datetime.now(UTC)))}"):
            assert (await self._operates("GET", f"/admin/v1/support{query}")).status_code == 200
        for http, path, token in roads:
            assert (await http.delete(path, headers=token)).status_code == 204
        forgotten = "UPDATE support_question SET closes_at = :now WHERE id = :id"
        async with self._site.platform.database.transaction() as tx:
            await tx.execute(forgotten, id=page["items"][0]["id"], now=tx.now)
        await self._site.platform.support.look()
        await self._site.settled()

    async def _statements(self, person: Visitor) -> None:
        await _get(person, "/v1/statements", "/v1/account/statements")
        await self._site.apply_brand("alpha", adults_only=True, more='purposes = ["marketing"]')
        made = await person.http.put("/v1/account/statements/adult", json={})
        assert made.status_code == 200, made.text
        photo = await person.upload()
        stale = "UPDATE upload SET statement_digest = 'sha256:stale' WHERE id = :id"
        async with self._site.platform.database.transaction() as tx:
            await tx.execute(stale, id=photo["id"])
        made = await person.http.put(f"/v1/uploads/{photo['id']}/statement", json={})
        assert made.status_code == 200 and not made.json()["restate"], made.text
        await self._site.apply_brand("alpha", more='purposes = ["marketing"]')

    async def _explained(self, person: Visitor) -> None:
        async with self._site.platform.database.read() as reader:
            await explain_record(reader, person.account_id, self._site.platform.brands.loaded())

    async def _evidence(self, person: Visitor) -> None:
        async def sealed() -> bool:
            receipts = (await person.http.get("/v1/account/receipts")).json()["items"]
            return len(receipts) > 1 and all(receipt["sealed"] for receipt in receipts)

        await until(sealed)
        await _get(person, "/v1/evidence/head", f"/v1/evidence/head/since/{JOBS // 2}")
        # Others may have come meanwhile, which are not sealed yet.
        receipts = (await person.http.get("/v1/account/receipts")).json()["items"]
        await _get(person, *[f"/v1/account/receipts/{each['id']}" for each in receipts if each["sealed"]][-1:])
        async with self._site.platform.database.read() as reader:
            for subject in (receipts[0]["id"], receipts[0]["record_id"]):
                assert await of_subject(reader, subject) is not None
        page = (await person.http.get("/v1/account/receipts?limit=1")).json()
        await _get(person, f"/v1/account/receipts?limit=1&cursor={page['next_cursor']}")

    async def _policy(self, person: Visitor) -> None:
        await self._site.platform.publishing.look()
        await reword(self._site, "billing", statement="Purchases are recorded.")
        operator = {"Authorization": f"Bearer {self._site.secret_keys['alpha']}"}
        pending = (await person.http.get("/admin/v1/policy/pending", headers=operator)).json()
        published = await person.http.post(
            "/admin/v1/policy/versions", json={"digest": pending["digest"]}, headers=operator
        )
        assert published.status_code == 201, published.text
        await self._site.settled()
        letters = await person.http.get("/admin/v1/policy/versions/2/letters", headers=operator)
        assert letters.json()["letters"]["sent"] > 0
        await _get(person, "/v1/policy", "/v1/policy/notice?version=1", "/v1/policy/diff?old=1&new=2")
        await _get(person, "/v1/policy/versions?limit=1", "/v1/policy/versions/2")
        await _get(person, "/v1/policy/papers/processors", "/.well-known/gpc.json")
        record = await person.http.get("/admin/v1/policy/papers/record", headers=operator)
        assert record.status_code == 200, record.text
        await _get(person, published.json()["page"].removeprefix(self._site.url))

    async def _rights(self) -> None:
        """Somebody stops things, takes that back, and has their account erased, which they had paid for."""
        person = await self._person()
        await buy(self._site, person, 5)
        await self._site.grant(person, 2)
        photo = await person.upload()
        await person.finished((await person.order(photo["id"]))["id"])
        await confirm(person)
        answered = {}
        for kind, decision in (("correction", "complete"), ("objection", "refuse"), ("restriction", "cancel")):
            asked = await ask(person, kind, purpose="marketing", statement="in my words")
            answered[kind] = asked["id"]
            path = f"/admin/v1/privacy-requests/{asked['id']}"
            if decision == "cancel":
                assert (await person.http.post(f"/v1/account/requests/{asked['id']}/cancel")).status_code == 200
                continue
            reason = {"reason": "so_it_is"}
            for step, body in (("reveal", reason), ("extend", reason | {"days": 3}), (decision, reason)):
                told = await self._operates("POST", f"{path}/{step}", json=body)
                assert told.status_code == 200, told.text
            assert (await self._operates("GET", path)).status_code == 200
        for path in ("", "?closed=true&limit=1", f"?cursor={encode_cursor(new_id('prq', datetime.now(UTC)))}"):
            assert (await self._operates("GET", f"/admin/v1/privacy-requests{path}")).status_code == 200
        await _get(person, "/v1/account/requests?limit=1", f"/v1/account/requests/{answered['correction']}")
        await change_address(person, f"new-{uuid4().hex}@example.org")
        copy = await ask(person, "access")
        linked = await person.http.post(f"/v1/account/requests/{copy['id']}/download-links")
        await _get(person, linked.json()["url"].removeprefix(self._site.url))
        taken_back = await ask(person, "erasure", headers={"Idempotency-Key": "erase"})
        await come_back(person)
        assert (await person.http.post(f"/v1/account/requests/{taken_back['id']}/cancel")).status_code == 200
        erasure = await ask(person, "erasure", at_once=True)

        async def done() -> bool:
            async with self._site.platform.database.read() as reader:
                return bool(
                    await reader.value(
                        "SELECT 1 AS found FROM privacy_request WHERE id = :id AND closed_at IS NOT NULL AND contact IS NULL",
                        id=erasure["id"],
                    )
                )

        await until(done, seconds=60)
        await _get(person, erasure["receipt_address"].removeprefix(self._site.url))
        async with self._site.platform.database.transaction() as tx:
            await holders.forget(tx, person.account_id)
            await holders.drop(tx, "nobody")
            await rights_repository.set_warned(tx, erasure["id"], "soon")

    async def _operates(self, method: str, path: str, **call: Any) -> httpx.Response:
        secret = {"Authorization": f"Bearer {self._site.secret_keys['alpha']}"}
        async with httpx.AsyncClient(base_url=self._site.url, headers=secret) as operator:
            operator.event_hooks["request"].append(self._note)
            return await operator.request(method, path, **call)

    async def _operator(self, person: Visitor, job: str) -> None:
        secret = {"Authorization": f"Bearer {self._site.secret_keys['alpha']}"}
        async with httpx.AsyncClient(base_url=self._site.url, headers=secret) as operator:
            operator.event_hooks["request"].append(self._note)
            for path in (
                "/admin/v1/findings",
                "/admin/v1/findings?resolved=true&limit=1",
                f"/admin/v1/findings?cursor={new_id('fnd', datetime.now(UTC))}",
                f"/admin/v1/accounts/{person.account_id}",
                f"/admin/v1/reveals?account={person.account_id}&limit=1",
                f"/admin/v1/reveals?key={new_id('key', datetime.now(UTC))}",
                f"/admin/v1/reveals?cursor={encode_cursor(new_id('rvl', datetime.now(UTC)))}",
                f"/admin/v1/generations/{job}/attempts",
            ):
                answer = await operator.get(path)
                assert answer.status_code in (200, 400), answer.text
            shown = await operator.post(f"/admin/v1/accounts/{person.account_id}/reveal", json={"reason": "tour"})
            assert shown.status_code == 200, shown.text
            await operator.post(f"/admin/v1/findings/{new_id('fnd', datetime.now(UTC))}/resolve")
            given = await operator.post(
                f"/admin/v1/accounts/{person.account_id}/credits",
                json={"amount": 1},
                headers={"Idempotency-Key": "tour"},
            )
            assert given.status_code == 201, given.text

    async def _holds(self, person: Visitor) -> None:
        secret = {"Authorization": f"Bearer {self._site.secret_keys['alpha']}"}
        async with httpx.AsyncClient(base_url=self._site.url, headers=secret) as operator:
            operator.event_hooks["request"].append(self._note)
            photo = await person.upload()
            job = await person.finished((await person.order(photo["id"]))["id"])
            placed = await operator.post("/admin/v1/holds", json={"subject": job["id"], "reason": "dispute"})
            assert placed.status_code == 201, placed.text
            kept = (photo["id"], job["figurines"][0]["id"])
            for path in ("uploads", "figurines"):
                assert (await person.http.delete(f"/v1/{path}/{kept[path == 'figurines']}")).status_code == 204
            await until(lambda: self._held(kept))
            assert (await operator.get("/admin/v1/holds?limit=1")).status_code == 200
            cursor = encode_cursor(placed.json()["hold"]["id"])
            assert (await operator.get(f"/admin/v1/holds?lifted=true&cursor={cursor}")).status_code == 200
            lifted = await operator.post(f"/admin/v1/holds/{placed.json()['hold']['id']}/lift")
            assert lifted.status_code == 200, lifted.text

    async def _plans(self, person: Visitor) -> None:
        """A policy gets shorter: what that moves is planned, and the plan approved."""
        await person.upload()
        await self._site.apply_brand(more='policy = { "upload.unused" = "2h" }')
        secret = {"Authorization": f"Bearer {self._site.secret_keys['alpha']}"}
        async with httpx.AsyncClient(base_url=self._site.url, headers=secret, timeout=60) as operator:
            operator.event_hooks["request"].append(self._note)
            drafted = await operator.post("/admin/v1/plans", json={})
            assert drafted.status_code == 201, drafted.text
            plan_id = drafted.json()["plan"]["id"]
            assert (await operator.get(f"/admin/v1/plans?limit=1&cursor={encode_cursor(plan_id)}")).status_code == 200
            approved = await operator.post(f"/admin/v1/plans/{plan_id}/approve")
            assert approved.status_code == 200, approved.text

            async def applied() -> bool:
                (plan,) = (await operator.get("/admin/v1/plans?limit=1")).json()["items"]
                return bool(plan["state"] == "applied")

            while not await applied():  # noqa: ASYNC110 - it looks at every deadline that there is
                await asyncio.sleep(0.1)
            await until(applied, seconds=60)
        async with self._site.platform.database.read() as reader:
            await plan_brand_of(reader, plan_id)

    async def _held(self, records: tuple[str, ...]) -> bool:
        async with self._site.platform.database.read() as reader:
            states = [
                row["state"]
                for record in records
                for row in await reader.rows("SELECT state FROM deadline WHERE record_id = :id", id=record)
            ]
        return states.count("held") == len(records)

    async def _mishaps(self, person: Visitor) -> None:
        """What happens when something goes wrong, and when somebody changes their mind."""
        photo = await person.upload()
        for mishap in (RateLimitedByProvider(retry_after=timedelta(milliseconds=50)), Raise(RuntimeError("a bug"))):
            self._site.scripted.script(mishap)
            await person.finished((await person.order(photo["id"]))["id"])
        self._site.scripted.script(Hang())
        calls = len(self._site.scripted.calls)
        await person.order(photo["id"])
        await self._site.scripted.wait_for_calls(calls + 1)
        await person.agree(granted=False)
        await person.agree()
        await self._site.settled()

    async def _other_processes(self) -> None:
        """What only other processes or other providers ask than those of this site, or only after years."""
        platform, now = self._site.platform, datetime.now(UTC)
        brand = (await platform.brands.by_host("127.0.0.1")).id
        await any_live_brand(platform.settings)
        async with platform.database.read() as reader:
            await processes(reader)
            await credits_repository.wallet_is_of(reader, brand, new_id("acc", now))
        await platform.outbox.overlooked(dict.fromkeys(QUEUES, 100), timedelta(seconds=1))
        async with platform.database.transaction() as tx:
            await brand_repository.revoke_key(tx, brand, new_id("key", now))
            await budget.reserve(tx, brand_id=brand, day="2020-01-01", currency="USD", micros=9, ceiling_micros=10)
            await generations_repository.lock_by_attempt(tx, new_id("att", now))
            await generations_repository.accept_attempt(tx, new_id("att", now), "a handle")
            await platform.enforcer.poisoned(tx, new_id("ddl", now))
            for dataset in platform.datasets.values():
                if dataset.stored is not None:
                    for record in await dataset.stored(tx, brand, "", 10):
                        await reconciliation.is_known(tx, dataset, record)
                        await reconciliation.is_being_deleted(tx, record)
            once = Once(brand_id=brand, principal="somebody", route="POST /v1/uploads", key="tour", body=b"")
            await once.begin(tx, outside_call=True)
            with pytest.raises(RequestInFlight):
                await once.begin(tx, outside_call=True)
            await once.abandon(tx)

    async def _restored(self, person: Visitor) -> None:
        """A database that is older than its journal, which says more than it knows."""
        platform, now = self._site.platform, datetime.now(UTC)
        photos, digest = [await person.upload() for _ in range(2)], f"sha256:{64 * '0'}"
        async with platform.database.read() as reader:
            brand = await reader.value("SELECT brand_id FROM account WHERE id = :id", id=person.account_id)
        asked = await person.http.post("/v1/account/support", json={"subject": "Arms", "message": "Three?"})
        about = {"at": now, "brand_id": brand, "dataset": "uploads", "record_id": photos[0]["id"]}
        await platform.journal.append(
            Erasing(
                **about,
                account_id=person.account_id,
                rule="upload.asked",
                policy_digest=digest,
                keys=(new_id("acc", now),),
            ),
            Due(**about, rule="upload.unused", due_at=now + timedelta(days=1)),
            Wish(now, brand, person.account_id, "upload.unsaved", photos[1]["id"]),
            Wish(now, brand, person.account_id, "consent.withdrawn", "generation"),
            Wish(now, brand, person.account_id, "support.closed", asked.json()["id"]),
        )
        async with platform.database.transaction() as tx:
            await tx.execute("UPDATE journal_mark SET upto = 0 WHERE id = :id", id=platform.journal._last.stream)
        replayed = await platform.replay.catch_up()
        assert (replayed.erased, replayed.wishes) >= (1, 1)
        async with platform.database.transaction() as tx:
            await upkeep.note(tx, upkeep.Done.restore_tried, "tour")
            await platform.journal.keys_gone(tx, (new_id("acc", now),))
        await examine(platform)
        await person.agree()

    async def _platform(self, person: Visitor, other: Visitor) -> None:
        platform, now = self._site.platform, datetime.now(UTC)
        await self._site.settled()
        async with platform.database.transaction() as tx:
            await tx.execute("UPDATE time_mark SET at = :then WHERE name = 'audit'", then=now - timedelta(days=2))
        for duty in platform.scheduler._duties:
            await duty.run()
        (report,) = (await self._operates("GET", "/admin/v1/audit-reports?limit=1")).json()["items"]
        assert report["causes"], "what is filled into the log are no receipts"
        for path in (f"/{report['id']}", f"?cursor={encode_cursor(report['id'])}"):
            assert (await self._operates("GET", f"/admin/v1/audit-reports{path}")).status_code == 200
        await audit_report(platform.database)
        async with platform.database.read() as reader:
            for table, key, checks in PAGED:
                page = await reader.rows(f"SELECT {key} AS id FROM {table} ORDER BY {key} LIMIT 20")
                for check in (*checks, EQUATION):
                    bounds = {"after": "", "upto": page[-1]["id"]} if check is not EQUATION else {}
                    await reader.rows(check, **bounds)
        photo = await other.upload()
        await other.finished((await other.order(photo["id"]))["id"])
        for dataset in platform.datasets.values():
            async with platform.database.transaction() as tx:
                await dataset.handler.export(tx, other.account_id)
                await dataset.handler.sweep(tx, datetime(2020, 1, 1, tzinfo=UTC), 10)
                for record in (other.account_id, photo["id"]):
                    await dataset.handler.closure(tx, record)
                    await dataset.handler.settle(tx, record, now)
                    await dataset.handler.erase(tx, record)
        for visitor, path in ((person, "/v1/session"), (await self._person(), "/v1/sessions")):
            left = await visitor.http.delete(path)
            assert left.status_code == 204, left.text


def _shape(path_format: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{[^}]+}", "[^/]+", path_format))


async def _get(person: Visitor, *paths: str) -> None:
    for path in paths:
        answer = await person.http.get(path)
        assert answer.status_code == 200, (path, answer.text)


# --- what a plan may do ---


def complaints(plan: Mapping[str, Any], large: Mapping[str, int], *, limited: bool = False) -> list[str]:
    """What makes a plan's cost grow with the tables.

    Args:
        large: rows of each table that has many.
        limited: whether something above stops when it has enough.
    """
    kind, found = plan["Node Type"], []
    relation, rows = plan.get("Relation Name"), plan["Plan Rows"]
    if kind == "Seq Scan" and relation in large:
        found.append(f"reads all {large[relation]} rows of {relation}")
    elif kind.endswith("Scan") and rows > MANY_ROWS and not limited and kind not in ("CTE Scan", "Subquery Scan"):
        found.append(f"reads some {rows} rows by {plan.get('Index Name', relation)}")
    elif kind.startswith("Index") and plan["Total Cost"] > MUCH and not limited and "Plans" not in plan:
        found.append(f"goes through much of {plan['Index Name']}")
    inputs = plan.get("Plans", ())
    if kind in ("Sort", "Incremental Sort") and inputs[0]["Plan Rows"] > LARGE_ROWS:
        found.append(f"sorts some {inputs[0]['Plan Rows']} rows by {', '.join(plan['Sort Key'])}")
    stops = kind == "Limit" or (limited and kind not in ("Sort", "Aggregate", "Hash", "HashAggregate"))
    for each in inputs:
        found += complaints(each, large, limited=stops)
    return found


async def explained(connection: asyncpg.Connection, statement: Statement) -> list[tuple[str, Mapping[str, Any]]]:
    """The plans of a statement, each with how it came about."""
    sql, names = numbered(statement.sql)
    plans = []
    for parameters in statement.parameters:
        told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *[parameters[name] for name in names])
        plans.append(("as sent", json.loads(told)[0]["Plan"]))
    # Planned without knowing the parameters. It is kept if it seems to cost no more than planning anew every time:
    # https://www.postgresql.org/docs/current/sql-prepare.html, and `choose_custom_plan` in its source.
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE kept AS {sql}")
    arguments = f"({', '.join(['NULL'] * len(names))})" if names else ""
    told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE kept{arguments}")
    await connection.execute("DEALLOCATE kept; RESET plan_cache_mode")
    kept = json.loads(told)[0]["Plan"]
    planning = 2.5 * (1 + len(list(_relations(kept))))
    if kept["Total Cost"] <= max(plan["Total Cost"] for _, plan in plans) + planning:
        plans.append(("as kept", kept))
    return plans


def _relations(plan: Mapping[str, Any]) -> Iterator[str]:
    if "Relation Name" in plan:
        yield plan["Relation Name"]
    for each in plan.get("Plans", ()):
        yield from _relations(each)


async def bad_plans(connection: asyncpg.Connection, statements: Sequence[Statement]) -> dict[str, list[str]]:
    """Statements whose plans are complained of. Inside a transaction."""
    large = {
        row["relname"]: int(row["reltuples"])
        for row in await connection.fetch(
            "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND reltuples > $1", LARGE_ROWS
        )
    }
    assert len(large) > 15, "the database is full"
    found: dict[str, list[str]] = {}
    for statement in statements:
        if not planned(statement.sql):
            continue
        wrong = []
        for how, plan in await explained(connection, statement):
            wrong += [f"{what} ({how})" for what in complaints(plan, large)]
        if wrong:
            found[statement.sql] = sorted(set(wrong))
    return found


def planned(sql: str) -> bool:
    """Whether a statement has a plan worth looking at."""
    return bool(re.match("SELECT|UPDATE|DELETE|INSERT", sql)) and not sql.startswith("SELECT pg_")


def on_purpose(sql: str) -> bool:
    return any(sql.startswith(beginning) for beginning in ON_PURPOSE)


async def test_every_statement_finds_its_rows_by_an_index(tour: Tour) -> None:
    connection = await asyncpg.connect(tour.url)
    async with connection.transaction():
        found = await bad_plans(connection, tour.statements)
    await connection.close()

    told = [f"{sql}\n    {what}" for sql, wrong in found.items() if not on_purpose(sql) for what in wrong]
    assert not told, "\n" + "\n".join(told)
    unused = [beginning for beginning in ON_PURPOSE if not any(sql.startswith(beginning) for sql in found)]
    assert unused == [], "these need no exception any more"


def test_every_statement_names_its_columns(tour: Tour) -> None:
    """One that asks a table for `*` is not what was prepared any more as soon as a newer version has added a column."""
    every = re.compile(r"(SELECT|RETURNING|,|\.)\s*\*(?! FROM \(SELECT)")
    assert [each.sql for each in tour.statements if every.search(each.sql)] == []


def test_the_tour_leads_along_every_route(tour: Tour) -> None:
    assert tour.routes_left_out == []
    assert len(tour.statements) > 100


# --- what the tour has to see ---


def conditions(folder: Path) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every text in the sources that selects rows, as where it stands and what it looks like when it is sent."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text())
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr | ast.Constant) or id(node) in inner:
                continue
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [part.value if isinstance(part, ast.Constant) else None for part in parts]
            if any(isinstance(text, str) and re.search(r"\bWHERE\b.*[:=<>]", text) for text in texts):
                looks = "".join(".*" if text is None else re.escape(str(text)) for text in texts)
                yield (
                    f"{path.relative_to(folder)}: {''.join('…' if t is None else str(t) for t in texts)}",
                    re.compile(looks),
                )


def test_the_tour_sends_every_statement_that_selects_rows(tour: Tour) -> None:
    sent = [each.sql for each in tour.statements if planned(each.sql)]
    unseen = [told for told, looks in conditions(KERNEL) if not any(looks.search(sql) for sql in sent)]

    listed = (*NOT_ON_TOUR, *SOMETIMES_ON_TOUR)
    unlisted = [told for told in unseen if not any(told.startswith(place) for place in listed)]
    assert not unlisted, "\n" + "\n".join(unlisted)
    assert [place for place in NOT_ON_TOUR if not any(told.startswith(place) for told in unseen)] == []


async def test_an_index_that_is_dropped_is_missed(tour: Tour) -> None:
    # Given every index that is not a key
    connection = await asyncpg.connect(tour.url)
    indexes = [
        (row["name"], row["relname"])
        for row in await connection.fetch(
            "SELECT i.indexrelid::regclass::text AS name, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisunique"
        )
    ]
    assert len(indexes) > 20

    async with connection.transaction():
        before = await bad_plans(connection, tour.statements)

    # When it is not there
    not_missed = []
    for index, table in indexes:
        concerned = [each for each in tour.statements if re.search(rf"\b{table}\b", each.sql)]
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f"DROP INDEX {index}")
        if await bad_plans(connection, concerned) == {
            each.sql: before[each.sql] for each in concerned if each.sql in before
        }:
            not_missed.append(index)
        await transaction.rollback()
    await connection.close()

    # Then a statement is complained of: no index is there for nothing, and no missing one goes unnoticed
    assert not not_missed, ", ".join(not_missed)
