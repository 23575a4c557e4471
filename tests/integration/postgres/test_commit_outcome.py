"""The connection breaks exactly at COMMIT: nobody can tell what happened, everybody is told that, and asking again is safe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from statuette.kernel.db.database import Transaction
from statuette.kernel.db.errors import CommitOutcomeUnknown
from statuette.kernel.domain.credits.verify import verify
from statuette.ports.image import ImageRequest, ModelInfo, Submission
from statuette.testing import FrozenClock
from statuette.testing.memory_storage import MemoryStorage
from statuette.testing.queued_image import ImageQueueService, QueuedImageProvider
from tests.integration.postgres.conftest import Opened, numbers
from tests.integration.postgres.proxy import Commits, Network, network
from tests.integration.road.faults import until
from tests.profiles import Profile
from tests.site import Site, serving

BREAKS = pytest.mark.parametrize("breaks", [Commits.lost, Commits.unanswered], ids=["before", "after"])


async def add(tx: Transaction) -> None:
    await tx.execute("INSERT INTO note (id) VALUES ('written')")


@BREAKS
async def test_a_commit_without_an_answer_is_neither_told_as_done_nor_as_undone(
    notes: str, opened: Opened, breaks: Commits
) -> None:
    # Given a network that breaks at COMMIT
    async with network(notes) as between:
        database = opened(between.url)
        await database.open()
        between.commits = breaks

        # When a transaction ends there, and when one is run
        with pytest.raises(CommitOutcomeUnknown) as unknown:
            async with database.transaction() as tx:
                await add(tx)
        assert unknown.value.retryable and "Idempotency-Key" in str(unknown.value)

        # Then it is written or not, and both were told alike
        between.commits = Commits.arrive
        assert await numbers(database) == ({"written": 0} if breaks is Commits.unanswered else {})
        await database.close()


@BREAKS
async def test_run_never_runs_again_what_may_have_been_committed(notes: str, opened: Opened, breaks: Commits) -> None:
    # Given a network that breaks at COMMIT
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await tx.execute(
            "INSERT INTO note (id, number) VALUES ('n', 1) ON CONFLICT (id) DO UPDATE SET number = note.number + 1"
        )

    async with network(notes) as between:
        database = opened(between.url)
        await database.open()
        between.commits = breaks

        # When work is run
        with pytest.raises(CommitOutcomeUnknown):
            await database.run(work)

        # Then once
        assert (attempts, between.cut) == (1, 1)
        await database.close()


@pytest.fixture
async def between(database_url: str) -> AsyncIterator[Network]:
    """A network to an empty database."""
    async with network(database_url) as carried:
        yield carried


@pytest.fixture
async def site(tmp_path: Path, profile: Profile, between: Network) -> AsyncIterator[Site]:
    """A site whose every connection to its database goes through the network."""
    async with serving(tmp_path, replace(profile, database_url=between.url)) as site:
        await site.apply_brand()
        yield site


ON_POSTGRESQL = pytest.mark.parametrize("profile_name", ["cluster"], indirect=True)


@ON_POSTGRESQL
@BREAKS
async def test_an_order_that_is_sent_again_with_its_key_is_one_job_whatever_became_of_the_first(
    site: Site, between: Network, breaks: Commits, database_url: str
) -> None:
    # Given a person, a photo, and a network that breaks at every COMMIT
    person = await site.person(credits=5)
    photo = await person.upload()
    key = {"Idempotency-Key": "one-order"}
    between.commits = breaks

    # When the person orders
    first = await person.try_order(photo["id"], headers=key)

    # Then the answer says that nobody knows, and when to ask again
    assert first.status_code == 503, first.text
    assert first.json()["code"] == "commit_outcome_unknown" and first.json()["retryable"]
    assert "Idempotency-Key" in first.json()["cure"]
    assert int(first.headers["retry-after"]) > 0

    # And when the same is sent again once the network is well
    between.commits = Commits.arrive
    again = await person.try_order(photo["id"], headers=key)
    assert again.status_code == 202, again.text
    job = await person.finished(again.json()["id"])

    # Then there is one job, paid once
    assert job["state"] == "succeeded"
    assert [item["id"] for item in (await person.http.get("/v1/generations")).json()["items"]] == [job["id"]]
    assert (await person.credits())["available"] == 4
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT COUNT(*) FROM credit_hold") == 1
    assert await connection.fetchval("SELECT COUNT(*) FROM ledger_transfer WHERE kind = 'captured'") == 1
    await connection.close()


@ON_POSTGRESQL
@BREAKS
async def test_a_grant_that_is_sent_again_with_its_key_is_made_once(
    site: Site, between: Network, breaks: Commits
) -> None:
    # Given an operator who gives credits while the network breaks at every COMMIT
    person = await site.person(credits=0)
    ask = {
        "url": f"/admin/v1/accounts/{person.account_id}/credits",
        "json": {"amount": 7},
        "headers": {"Authorization": f"Bearer {site.secret_keys['alpha']}", "Idempotency-Key": "thanks"},
    }
    between.commits = breaks
    first = await person.http.post(**ask)  # type: ignore[arg-type]
    assert (first.status_code, first.json()["code"]) == (503, "commit_outcome_unknown")

    # When it is sent again, twice
    between.commits = Commits.arrive
    answers = [await person.http.post(**ask) for _ in range(2)]  # type: ignore[arg-type]

    # Then the credits are there once
    assert [answer.status_code for answer in answers] == [201, 201]
    assert (await person.credits())["available"] == 7


@ON_POSTGRESQL
@BREAKS
async def test_a_photo_whose_key_may_have_been_claimed_can_be_sent_again(
    site: Site, between: Network, breaks: Commits
) -> None:
    # Given a person who sends a photo while the network breaks at every COMMIT, the first of which claims the key
    person = await site.person()
    key = {"Idempotency-Key": "one-photo"}
    between.commits = breaks
    first = await person.try_upload(headers=key)
    assert (first.status_code, first.json()["code"]) == (503, "commit_outcome_unknown")

    # When it is sent again once the network is well
    between.commits = Commits.arrive
    again = await person.try_upload(headers=key)

    # Then it is there, once
    assert again.status_code == 201, again.text
    listed = (await person.http.get("/v1/uploads")).json()["items"]
    assert [item["id"] for item in listed] == [again.json()["id"]]


class BreakingAfterPut(MemoryStorage):
    """A store in which the network to the database breaks as soon as something was put."""

    between: Network
    breaks: Commits = Commits.arrive

    async def put(self, key: str, data: bytes, **how: Any) -> None:
        await super().put(key, data, **how)
        self.between.commits = self.breaks


@ON_POSTGRESQL
@BREAKS
async def test_a_photo_that_may_be_ready_is_found_by_its_key_and_never_half_there(
    tmp_path: Path, profile: Profile, between: Network, breaks: Commits
) -> None:
    # Given a person who sends a photo, and a network that breaks when it is stored and only the last COMMIT is missing
    store, clock = BreakingAfterPut(), FrozenClock()
    store.between, store.breaks = between, breaks
    async with serving(tmp_path, replace(profile, database_url=between.url), clock=clock, storage=store) as site:
        await site.apply_brand()
        person = await site.person()
        key = {"Idempotency-Key": "one-photo"}
        first = await person.try_upload(headers=key)
        assert (first.status_code, first.json()["code"]) == (503, "commit_outcome_unknown")

        # When it is sent again once the network is well
        store.breaks = between.commits = Commits.arrive
        again = await person.try_upload(headers=key)
        if again.status_code == 409:
            # It was not finished, and giving the key back was cut as well: the claim ends by itself.
            assert breaks is Commits.lost and again.json()["retryable"]
            clock.advance(timedelta(minutes=2))
            again = await person.try_upload(headers=key)

        # Then the answer is the photo, which is there once and can be used
        assert again.status_code == 201, again.text
        listed = (await person.http.get("/v1/uploads")).json()["items"]
        assert [item["id"] for item in listed] == [again.json()["id"]]
        job = await person.finished((await person.order(again.json()["id"]))["id"])
        assert job["state"] == "succeeded"


@ON_POSTGRESQL
@BREAKS
async def test_what_a_call_made_is_delivered_once_whatever_became_of_its_commit(
    tmp_path: Path, profile: Profile, between: Network, breaks: Commits
) -> None:
    # Given a job whose pictures are stored when the network to the database breaks
    store = BreakingAfterPut()
    store.between = between
    async with serving(tmp_path, replace(profile, database_url=between.url), storage=store) as site:
        await site.apply_brand()
        person = await site.person(credits=5)
        photo = await person.upload()
        store.breaks = breaks
        ordered = await person.order(photo["id"])
        await until(lambda: broken(between))

        # When the network is well again
        store.breaks = between.commits = Commits.arrive
        job = await person.finished(ordered["id"], seconds=30)

        # Then the job has one picture, which can be seen, and was paid for once
        assert (job["state"], len(job["figurines"])) == ("succeeded", 1)
        for address in job["figurines"][0]["images"].values():
            assert (await person.http.get(address, headers={"Authorization": ""})).status_code == 200
        assert (await person.credits())["available"] == 4
        assert len(site.scripted.calls) <= 2
        async with site.platform.database.read() as reader:
            assert await verify(reader) == []


class BreakingAfterSubmit(QueuedImageProvider):
    """A vendor that knows no order twice, after whose every answer the network to the database breaks."""

    between: Network
    breaks: Commits = Commits.arrive

    def models(self) -> tuple[ModelInfo, ...]:
        return tuple(msgspec.structs.replace(model, repeatable=False) for model in super().models())

    async def submit(self, request: ImageRequest) -> Submission:
        submission = await super().submit(request)
        self.between.commits = self.breaks
        return submission


@ON_POSTGRESQL
@BREAKS
async def test_what_a_vendor_has_queued_is_not_ordered_again_whatever_became_of_the_commit_of_its_handle(
    tmp_path: Path, profile: Profile, between: Network, breaks: Commits
) -> None:
    # Given a job that a vendor has just queued when the network to the database breaks
    async with ImageQueueService() as vendor:
        provider = BreakingAfterSubmit(vendor.base_url, vendor.api_key)
        provider.between, provider.breaks = between, breaks
        async with serving(tmp_path, replace(profile, database_url=between.url), providers=(provider,)) as site:
            await site.apply_brand(models=("queued/queued-1",))
            person = await site.person(credits=5)
            ordered = await person.order((await person.upload())["id"])
            await until(lambda: broken(between))

            # When the network is well again
            provider.breaks = between.commits = Commits.arrive
            job = await person.finished(ordered["id"], seconds=30)

            # Then the vendor was asked, and paid, once
            assert (job["state"], len(job["figurines"])) == ("succeeded", 1)
            assert vendor.paid_jobs == 1
            async with site.platform.database.read() as reader:
                assert await reader.value("SELECT MAX(number) AS n FROM attempt") == 1


async def broken(between: Network) -> bool:
    return between.cut > 0
