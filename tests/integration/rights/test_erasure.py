"""Who wants their account erased gets that: all of it, everywhere, with a receipt; and may change their mind for a week."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from statuette.evidence import StoreKind, StoreResult, read_entry, verify
from statuette.kernel.domain.credits.verify import verify as verify_ledger
from statuette.testing import FrozenClock
from statuette.testing.scripted_image import Hang
from tests.commands import statuette
from tests.integration.rights.everywhere import places, rows
from tests.integration.rights.people import Belongings, ask, come_back, confirm, settled_person, try_ask
from tests.integration.road.faults import until
from tests.site import Site, Visitor

GRACE = timedelta(days=7)


async def erased(site: Site, request_id: str, clock: FrozenClock, seconds: float = 30) -> None:
    """Wait until the request is completed and its letters are out."""

    async def done() -> bool:
        async with site.platform.database.read() as reader:
            (row,) = await reader.rows("SELECT state, contact FROM privacy_request WHERE id = :id", id=request_id)
        return bool(row["state"] == "completed" and row["contact"] is None)

    # Slowly enough that a process which says every 1.5 real seconds that it is alive is never thought dead: work begun twice
    # is done twice, and receipts would tell of objects that the second found absent.
    async with asyncio.timeout(seconds):
        while not await done():
            clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0.3)


async def _looks(site: Site) -> list[dict[str, Any]]:
    return (await rows(site))["reveal"]


async def receipt_of(site: Site, request: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=site.url) as anybody:
        return await anybody.get(request["receipt_address"].removeprefix(site.url))


@pytest.mark.rule("right.erasure")
async def test_nothing_is_left_of_an_erased_account_anywhere_and_another_is_untouched(
    site: Site, clock: FrozenClock
) -> None:
    # Given two people of one brand who have something of everything
    ada, ben = await settled_person(site, "Ada"), await settled_person(site, "Benjamin")
    async with site.platform.database.read() as reader:
        index = await reader.value("SELECT email_index FROM account WHERE id = :id", id=ada.person.account_id)
    assert {"account.id", "upload.id", "figurine.account_id", "object"} <= set(await places(site, ada.markers))
    before = await _seen_by(ben)

    # When one of them has their account erased, and the week is over
    clock.advance(timedelta(minutes=1))
    request = await ask(ada.person, "erasure")
    clock.advance(GRACE)
    await erased(site, request["id"], clock)

    # Then nothing of it is in any table, in the store or in Redis, and the keys are destroyed
    assert await places(site, [*ada.markers, index]) == []
    # But that somebody was looked at, and by whom
    (look, _) = sorted(await _looks(site), key=lambda look: look["account_id"].startswith("acc_"))
    assert look["account_id"] == look["record_id"] and look["account_id"].startswith("psn_")
    assert (look["reason"], look["actor"][:4]) == ("asked_by_phone", "key_")
    for subject in (ada.person.account_id, request["id"]):
        assert await site.platform.cipher.destroyed(subject)

    # And all of the other is there
    assert {"account.id", "upload.id", "figurine.account_id", "object"} <= set(await places(site, ben.markers))
    await come_back(ben.person)
    assert await _seen_by(ben) == before
    async with site.platform.database.read() as reader:
        assert await verify_ledger(reader) == []


async def test_the_receipt_is_for_whoever_has_its_address_and_tells_of_the_whole(
    site: Site, clock: FrozenClock
) -> None:
    ada = await settled_person(site, "Ada")
    await site.settled()
    request = await ask(ada.person, "erasure")
    early = await receipt_of(site, request)
    assert (early.status_code, early.json()["code"]) == (409, "receipt_not_sealed")

    clock.advance(GRACE)
    await erased(site, request["id"], clock)
    answer = await receipt_of(site, request)

    # It verifies offline, is about this account, and lists every store: photos, figurines in all sizes, an attachment, the key
    assert verify(answer.content).verified
    bundle = msgspec.json.decode(answer.content)
    assert bundle["opening"]["account"] == bundle["opening"]["record"] == ada.person.account_id
    receipt = read_entry(msgspec.json.encode(bundle["receipt"], order="sorted"))
    assert (receipt.rule, receipt.dataset, receipt.action) == ("account.erase", "accounts", "shred")
    objects = sum(store.count for store in receipt.stores if store.kind is StoreKind.objects)
    # Work that was begun twice, on a machine that is slow, finds absent what it had deleted the first time.
    assert 2 * 3 <= objects <= 2 + 2 * 3 + 1, receipt.stores
    (keys,) = [store for store in receipt.stores if store.kind is StoreKind.keys]
    assert (keys.outcome, keys.count) == (StoreResult.key_destroyed, 1)
    assert any(store.kind is StoreKind.database for store in receipt.stores)

    # An operator who is shown that address can hand it out, too
    address = site.folder / "address"
    address.write_text(request["receipt_address"] + "\n")
    handed_out = await statuette(site, "evidence", "receipt", "--address", str(address))
    assert msgspec.json.decode(handed_out.stdout) == bundle

    # And nobody else finds it
    other = await receipt_of(site, {"receipt_address": f"{site.url}/v1/erasures/{ada.person.account_id}.{'x' * 43}"})
    assert other.status_code == 404
    assert "no-store" in answer.headers["cache-control"]


async def test_letters_say_when_it_goes_how_to_stop_that_and_that_it_is_gone(site: Site, clock: FrozenClock) -> None:
    ada = await settled_person(site, "Ada")
    request = await ask(ada.person, "erasure")
    await site.settled()
    asked = site.mailer.sent_to(ada.person.email)[-1]
    assert request["receipt_address"] in asked.text
    assert f"{clock.now() + GRACE:%Y-%m-%d}" in asked.text

    clock.advance(GRACE)
    await erased(site, request["id"], clock)

    completed = site.mailer.sent_to(ada.person.email)[-1]
    assert completed.idempotency_key == f"{request['id']}:completed"
    assert request["receipt_address"] in completed.text


async def test_erasing_wants_a_code_entered_just_now(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    clock.advance(timedelta(minutes=11))

    refused = await try_ask(person, "erasure")
    assert (refused.status_code, refused.json()["code"]) == (403, "identity_not_confirmed")
    wrong = await person.http.post("/v1/session/confirm", json={"code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "signin_failed")
    assert (await person.http.get("/v1/account")).status_code == 200

    await confirm(person)
    assert (await ask(person, "erasure"))["state"] == "scheduled"


async def test_a_code_confirms_the_session_it_was_entered_in_and_only_of_its_own_account(
    site: Site, clock: FrozenClock
) -> None:
    ada, eve = await site.person(), await site.person()
    clock.advance(timedelta(minutes=11))

    # Eve enters a code that was mailed to Ada
    await ada.http.post("/v1/signin/codes", json={"email": ada.email})
    code = site.mailer.sent_to(ada.email)[-1].text.split()
    digits = next(word for word in code if word.isdigit() and len(word) == 6)
    answer = await eve.http.post("/v1/session/confirm", json={"code": digits})

    assert answer.status_code == 401
    assert (await try_ask(eve, "erasure")).status_code == 403


async def test_until_then_the_account_takes_on_nothing_and_work_under_way_is_cancelled(
    site: Site, clock: FrozenClock
) -> None:
    # Given a job under way
    person = await site.person()
    photo = await person.upload()
    site.scripted.script(Hang())
    job = await person.order(photo["id"])
    await site.scripted.wait_for_calls(1)

    # When the account is to be erased
    request = await ask(person, "erasure")

    # Then every session has ended, and signing in again shows when it goes
    assert (await person.http.get("/v1/account")).status_code == 401
    clock.advance(timedelta(minutes=2))
    await come_back(person)
    account = (await person.http.get("/v1/account")).json()
    assert account["expires_at"] == request["effective_at"]

    # The job was cancelled and nothing new is taken on
    assert (await person.finished(job["id"]))["state"] == "canceled"
    refused = await person.try_order(photo["id"])
    assert (refused.status_code, refused.json()["code"]) == (403, "processing_stopped")
    assert (await person.credits())["held"] == 0
    again = await try_ask(person, "erasure")
    assert (again.status_code, again.json()["code"]) == (409, "request_is_open")
    assert again.json()["attributes"]["open_request"] == request["id"]


async def test_who_changes_their_mind_keeps_everything(site: Site, clock: FrozenClock) -> None:
    ada = await settled_person(site, "Ada")
    before = await _seen_by(ada)
    request = await ask(ada.person, "erasure")
    clock.advance(GRACE - timedelta(minutes=5))
    await come_back(ada.person)

    answer = await ada.person.http.post(f"/v1/account/requests/{request['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
    clock.advance(timedelta(days=30))
    await site.settled()
    await come_back(ada.person)

    assert await _seen_by(ada) == before
    assert (await ada.person.http.get("/v1/account")).json()["expires_at"] is None
    assert (await ada.person.try_upload()).status_code == 201
    assert (await receipt_of(site, request)).status_code == 404
    late = await ada.person.http.post(f"/v1/account/requests/{request['id']}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "request_is_over")
    assert await site.platform.cipher.destroyed(request["id"])


async def test_after_the_moment_nothing_is_seen_however_late_the_enforcer_is(site: Site, clock: FrozenClock) -> None:
    ada = await settled_person(site, "Ada")
    clock.advance(timedelta(minutes=1))
    await ask(ada.person, "erasure")
    await site.settled()
    clock.advance(timedelta(minutes=1))
    await come_back(ada.person)
    figurine = (await ada.person.http.get("/v1/figurines")).json()["items"][0]
    address = figurine["images"]["256"].removeprefix(site.url)
    assert (await ada.person.http.get(address)).status_code == 200
    site.platform.scheduler._tick = timedelta(hours=1)  # nobody enforces anything

    clock.advance(GRACE)

    assert (await ada.person.http.get(address)).status_code == 404
    assert (await ada.person.http.get("/v1/figurines")).status_code == 401


async def test_at_once_means_at_once(site: Site, clock: FrozenClock) -> None:
    ada = await settled_person(site, "Ada")

    request = await ask(ada.person, "erasure", at_once=True)
    assert request["effective_at"] == request["asked_at"]
    await erased(site, request["id"], clock)

    assert await places(site, ada.markers) == []


@pytest.mark.rule("ledger.keep", "consent.proof", "request.keep")
async def test_what_was_paid_for_is_kept_in_the_books_under_a_pseudonym_and_then_ends(
    site: Site, clock: FrozenClock
) -> None:
    ada = await settled_person(site, "Ada", paid=True)
    request = await ask(ada.person, "erasure", at_once=True)
    await erased(site, request["id"], clock)

    # The books add up and name nobody
    assert await places(site, ada.markers) == []
    async with site.platform.database.read() as reader:
        assert await verify_ledger(reader) == []
    stored = await rows(site)
    (wallet,) = stored["wallet"]
    assert wallet["account_id"].startswith("psn_")
    assert (wallet["available"], wallet["held"]) == (0, 0)
    assert {"purchased", "held", "captured", "expired"} <= {row["kind"] for row in stored["ledger_transfer"]}
    assert {row["account_id"] for row in stored["consent_record"]} == {wallet["account_id"]}

    # After the years that law demands, nothing is left but what the evidence log says
    clock.advance(timedelta(days=3654))
    await until(lambda: _empty(site, "ledger_transfer", "wallet", "consent_record", "privacy_request"), clock)


async def test_an_erasure_that_is_cut_off_at_every_step_still_leaves_nothing(
    site: Site, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given steps that each do their work and are then cut off, once, before it is committed
    ada = await settled_person(site, "Ada", paid=True)
    cut_off: list[str] = []

    def dying(name: str, step: Any) -> Any:
        async def dies_once(*arguments: Any) -> Any:
            done = await step(*arguments)
            if name not in cut_off and done != 0:
                cut_off.append(name)
                raise RuntimeError("cut off")
            return done

        return dies_once

    for name, dataset in list(site.platform.datasets.items()):
        if dataset.of_account is not None and dataset.of_account.erase is not None:
            of_account = msgspec.structs.replace(dataset.of_account, erase=dying(name, dataset.of_account.erase))
            monkeypatch.setitem(site.platform.datasets, name, msgspec.structs.replace(dataset, of_account=of_account))
    account = site.platform.datasets["accounts"].handler
    monkeypatch.setattr(account, "erase", dying("accounts", account.erase))

    request = await ask(ada.person, "erasure", at_once=True)
    await erased(site, request["id"], clock, seconds=60)

    assert {"accounts", "credits", "consents", "generations", "privacy_requests"} <= set(cut_off)
    assert await places(site, ada.markers) == []
    assert (await receipt_of(site, request)).status_code == 200
    async with site.platform.database.read() as reader:
        assert await verify_ledger(reader) == []


async def test_who_rejoins_does_not_get_again_what_is_given_once(site: Site, clock: FrozenClock) -> None:
    person = site.visitor()
    await person.sign_in("ada@example.org")
    assert (await person.credits())["available"] == 3
    request = await ask(person, "erasure", at_once=True)
    await erased(site, request["id"], clock)

    clock.advance(timedelta(hours=1))
    again = site.visitor()
    await again.sign_in("ada@example.org")
    other = site.visitor()
    await other.sign_in("grace@example.org")

    assert again.account_id != person.account_id
    assert ((await again.credits())["available"], (await other.credits())["available"]) == (0, 3)


async def test_a_repeated_request_is_the_same_request_and_tells_no_secret_again(site: Site, clock: FrozenClock) -> None:
    person = await site.person()
    key = {"Idempotency-Key": "once"}
    first = await ask(person, "erasure", headers=key)
    clock.advance(timedelta(minutes=1))
    await come_back(person)

    again = await ask(person, "erasure", headers=key)

    assert again["id"] == first["id"]
    assert (first["receipt_address"] is None, again["receipt_address"]) == (False, None)


@pytest.mark.parametrize("kind", ["erasure", "restriction"])
async def test_a_request_is_for_its_owner_alone(site: Site, kind: str) -> None:
    ada, eve = await site.person(), await site.person()
    request = await ask(ada, kind)

    read = await eve.http.get(f"/v1/account/requests/{request['id']}")
    cancel = await eve.http.post(f"/v1/account/requests/{request['id']}/cancel")

    assert (read.status_code, cancel.status_code) == (404, 404)
    assert (await eve.http.get("/v1/account/requests")).json()["items"] == []


async def _empty(site: Site, *names: str) -> bool:
    stored = await rows(site)
    return all(not stored[name] for name in names)


async def _seen_by(belongings: Belongings) -> list[Any]:
    person: Visitor = belongings.person
    seen: list[Any] = [await person.credits()]
    for path in ("/v1/uploads", "/v1/figurines", "/v1/generations", "/v1/account/consents"):
        items = (await person.http.get(path)).json()["items"]
        seen.append([{key: each.get(key) for key in ("id", "state", "purpose", "granted")} for each in items])
    return seen
