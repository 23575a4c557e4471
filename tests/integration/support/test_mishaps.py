"""A store that fails or is slow, a process that dies, a mailer that refuses: nothing is half there, and somebody is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from statuette.kernel.data_map.explanation import explain_record
from statuette.kernel.domain.support.flow import SupportFlow
from statuette.kernel.enforcement.reconciliation import EVERY
from statuette.ports.mail import MailRefused
from statuette.ports.processor import Processor
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from statuette.testing.outbox_mailer import RecordingMailer
from statuette.testing.pictures import photo_jpeg
from tests.integration.road.faults import count, hurry, until
from tests.integration.support.asking import EVE, ask, attach, decide, operator, own, reply, try_attach
from tests.profiles import Profile
from tests.site import Site, serving

HOUR = timedelta(hours=1)
NOTE = (b"What I did: nothing.", "text/plain")


class Store(MemoryStorage):
    """Calls `meanwhile`, if there is one, before it answers for what was put under `support/`."""

    meanwhile: Any = None

    async def put(self, key: str, data: bytes, **how: Any) -> None:
        await super().put(key, data, **how)
        if key.startswith("support/") and self.meanwhile is not None:
            await self.meanwhile(key)


@pytest.fixture
def storage(clock: FrozenClock) -> Store:
    return Store(clock=clock)


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, clock: FrozenClock, storage: Store) -> AsyncIterator[Site]:
    async with serving(tmp_path, profile, clock=clock, storage=storage) as site:
        await site.apply_brand()
        hurry(site)
        yield site


async def keys(storage: Store) -> list[str]:
    return [found.key async for found in storage.list("support/")]


async def found(site: Site, code: str) -> list[str]:
    async with site.platform.database.read() as reader:
        rows = await reader.rows("SELECT subject FROM finding WHERE code = :code", code=code)
    return sorted(row["subject"] for row in rows)


async def nothing_left(site: Site, storage: Store) -> bool:
    return await keys(storage) == [] and await count(site, "SELECT COUNT(*) AS n FROM support_question") == 0


async def test_what_cannot_be_stored_leaves_nothing_and_may_be_sent_again(
    site: Site, clock: FrozenClock, storage: Store
) -> None:
    ada = await site.person()
    once = {"Idempotency-Key": "attached"}

    async def fail_the_next(key: str) -> None:
        storage.fail_next("put")

    storage.meanwhile = fail_the_next  # the first is stored, the second is not
    failed = await try_attach(ada, NOTE, (photo_jpeg(), "image/jpeg"), headers=once)

    assert (failed.status_code, failed.json()["retryable"]) == (503, True), failed.text
    assert (await ada.http.get("/v1/account/support")).json()["items"] == []
    await until(lambda: nothing_left(site, storage), clock)
    storage.meanwhile = None
    assert (await try_attach(ada, NOTE, (photo_jpeg(), "image/jpeg"), headers=once)).status_code == 201
    assert len(await keys(storage)) == 2


async def test_what_a_dead_process_left_half_stored_is_seen_by_nobody_and_goes_within_the_hour(
    site: Site, clock: FrozenClock, storage: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that dies when what is attached is stored, and the question is not open yet
    ada, eve = await site.person(), site.visitor()
    store = SupportFlow._store

    async def killed(self: SupportFlow, brand: Any, question_id: str, *more: Any) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("statuette.kernel.domain.support.service.complete", _nothing)
            await store(self, brand, question_id, *more)

    monkeypatch.setattr(SupportFlow, "_store", killed)
    mine = await attach(ada, NOTE)
    hers = await attach(eve, NOTE, email=EVE)

    # Then nobody sees it, and nobody can answer
    assert len(await keys(storage)) == 2
    assert (await ada.http.get(f"/v1/account/support/{mine['id']}")).status_code == 404
    assert (await ada.http.get("/v1/account/support")).json()["items"] == []
    assert (
        await eve.http.get(f"/v1/support/{hers['id']}", headers={"Support-Token": hers["token"]})
    ).status_code == 404
    desk = await site.visitor().http.get("/admin/v1/support", headers=operator(site))
    assert desk.json()["items"] == []
    assert (await reply(site, mine["id"])).status_code == 404

    # And it is gone, objects first, an hour later
    clock.advance(HOUR)
    await until(lambda: _looked(site), clock)
    await until(lambda: nothing_left(site, storage), clock)
    assert await site.platform.cipher.destroyed(hers["id"])


async def _nothing(*_: Any, **__: Any) -> None:
    return None


async def _looked(site: Site) -> bool:
    await site.platform.support.look()
    return True


async def test_a_store_slower_than_an_hour_leaves_no_object_behind(
    site: Site, clock: FrozenClock, storage: Store
) -> None:
    ada = await site.person()

    async def an_hour_passes(key: str) -> None:
        clock.advance(HOUR)
        await site.platform.support.look()
        await until(lambda: _no_question(site), clock)
        await MemoryStorage.put(storage, key, b"stored too late", media_type="text/plain")

    storage.meanwhile = an_hour_passes
    late = await try_attach(ada, NOTE)

    assert (late.status_code, late.json()["code"]) == (404, "not_found")
    assert await keys(storage) == []


async def _no_question(site: Site) -> bool:
    return await count(site, "SELECT COUNT(*) AS n FROM support_question") == 0


async def test_attachments_and_questions_are_compared(site: Site, clock: FrozenClock, storage: Store) -> None:
    # Given questions with and without files, one file of which somebody deletes past us, and an object of nobody
    ada = await site.person()
    await ask(ada)
    kept, lost = (await attach(ada, NOTE))["id"], (await attach(ada, NOTE))["id"]
    await storage.delete_many([key for key in await keys(storage) if lost in key])
    brand_id = (await keys(storage))[0].split("/")[1]
    orphan = "sup_01zzzzzzzzzzzzzzzzzzzzzzzz"
    await storage.put(f"support/{brand_id}/{orphan}/sat_x.txt", b"whose?", media_type="text/plain")

    clock.advance(EVERY)
    duty = next(duty for duty in site.platform.scheduler._duties if duty.name == "reconcile")
    async with site.platform.database.transaction() as tx:
        await tx.execute("UPDATE time_mark SET at = :at WHERE name = 'reconciliation'", at=tx.now - 2 * EVERY)
    while await duty.run():
        pass

    assert (await found(site, "object_missing"), await found(site, "orphan_object")) == ([lost], [orphan])

    async def only_what_is_kept() -> bool:
        return [key.split("/")[2] for key in await keys(storage)] == [kept]

    await until(only_what_is_kept, clock)


async def test_explain_says_why_a_question_is_still_there_and_when_it_goes(site: Site) -> None:
    ada = await site.person()
    question = (await ask(ada))["id"]

    async def explained() -> Any:
        async with site.platform.database.read() as reader:
            return await explain_record(reader, question, site.platform.brands.loaded())

    before = await explained()
    assert (before.dataset, before.ended_by, before.ends_at) == ("support", None, None)
    waits = {each.rule: each.waits_for for each in before.deadlines}
    assert waits == {"support.keep": ("closed",), "support.asked": ("account_ended", "deletion_asked")}
    closed = (await decide(site, question, "close")).json()
    after = await explained()
    assert after.ended_by == "support.keep"
    assert after.ends_at.isoformat().replace("+00:00", "Z") == closed["expires_at"]


async def test_a_letter_that_nobody_takes_is_told_of_and_the_answer_is_there_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await site.person()
    refused, undeclared = (await ask(ada))["id"], (await ask(ada))["id"]
    site.mailer.fail_next(MailRefused())
    assert (await reply(site, refused)).status_code == 201
    await site.settled()

    # And a mailer that does not declare that it carries what is said gets none of it
    processor = RecordingMailer().processor
    narrow = Processor(
        **{name: getattr(processor, name) for name in processor.__struct_fields__ if name != "categories"},
        categories=("email", "account_profile"),
    )
    monkeypatch.setattr(RecordingMailer, "processor", narrow)
    assert (await reply(site, undeclared)).status_code == 201
    await site.settled()

    assert await found(site, "support_letter_not_sent") == sorted([refused, undeclared])
    assert all("wings" not in letter.text for letter in site.mailer.sent_to(ada.email))
    for question in (refused, undeclared):
        assert (await own(ada, question))["entries"][-1]["text"] == "Two of them are wings."
