"""Any sequence of uses, savings, deletions and passing time leaves photos and jobs as a plain model says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from statuette.errors import NotFound
from statuette.kernel.db.database import Database, Transaction
from statuette.kernel.db.engines import engine_for
from statuette.kernel.domain.generations import repository as jobs
from statuette.kernel.domain.generations.outcomes import UNFINISHED, State
from statuette.kernel.domain.generations.tables import Generation, GenerationInput
from statuette.kernel.domain.statements.words import Statement, worded
from statuette.kernel.domain.uploads import service as uploads
from statuette.kernel.domain.uploads.service import UploadExpiresTooSoon
from statuette.kernel.pixels.results import NormalisedPhoto
from statuette.policy import compile_policy
from statuette.testing import FrozenClock
from statuette_policies import BASELINE
from tests.soak import effort

BRAND, ACCOUNT = "brd_test", "acc_test"
LONGEST_JOB = timedelta(minutes=15)
POLICY = compile_policy([BASELINE])
ASKED = Statement("depicted", "I may use it.", {})
PHOTO = NormalisedPhoto("image/jpeg", b"photo", 32, 32, hashlib.sha256(b"photo").hexdigest())
ENDS = st.sampled_from([State.succeeded, State.blocked, State.failed, State.canceled])
T = TypeVar("T")


@dataclass
class Photo:
    """The model: which rule is armed for when, and which unfinished jobs use the photo."""

    created_at: datetime
    due: dict[str, datetime]
    saved: bool = False
    users: set[str] = field(default_factory=set)

    def visible(self, now: datetime) -> bool:
        return all(due_at > now for due_at in self.due.values())


class Machine(RuleBasedStateMachine):
    loop: asyncio.AbstractEventLoop
    database: Database
    clock: FrozenClock

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Photo] = {}
        self.states: dict[str, State] = {}
        self.used_by: dict[str, str] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _within(self, work: Any) -> Any:
        async with self.database.transaction() as tx:
            return await work(tx)

    def a_photo(self, data: st.DataObject) -> str:
        """Mostly one that is to be seen: what is gone is refused, and once is enough to know."""
        now = self.clock.now()
        seen = [photo for photo, model in self.model.items() if model.visible(now)]
        gone = [photo for photo in self.model if photo not in seen]
        return data.draw(st.sampled_from([*seen * 3, *gone[-1:]]))

    @initialize()
    def begin(self) -> None:
        self.upload()

    @precondition(lambda self: sum(m.visible(self.clock.now()) for m in self.model.values()) < 2)
    @rule()
    def upload(self) -> None:
        async def work(tx: Transaction) -> str:
            upload_id = await uploads.begin(
                tx,
                brand_id=BRAND,
                account_id=ACCOUNT,
                stated=worded(ASKED, "en"),
                policy=POLICY,
                longest_job=LONGEST_JOB,
            )
            await uploads.complete(tx, BRAND, upload_id, PHOTO)
            return upload_id

        upload_id: str = self.run(self._within(work))
        now = self.clock.now()
        day = timedelta(hours=24)
        self.model[upload_id] = Photo(now, {"upload.unused": now + day, "upload.cap": now + day + LONGEST_JOB})

    @rule(data=st.data())
    def order(self, data: st.DataObject) -> None:
        photo = self.a_photo(data)

        async def work(tx: Transaction) -> str:
            await uploads.use(
                tx,
                brand_id=BRAND,
                account_id=ACCOUNT,
                upload_id=photo,
                asked=ASKED,
                policy=POLICY,
                longest_job=LONGEST_JOB,
            )
            return await _accepted(tx, photo)

        model, now = self.model[photo], self.clock.now()
        if not model.visible(now):
            with pytest.raises(NotFound):
                self.run(self._within(work))
            return
        if not model.saved and model.created_at + timedelta(hours=24) + LONGEST_JOB < now + LONGEST_JOB:
            with pytest.raises(UploadExpiresTooSoon):
                self.run(self._within(work))
            return
        job: str = self.run(self._within(work))
        model.due.pop("upload.unused", None)
        model.due.pop("upload.used", None)
        model.users.add(job)
        self.states[job], self.used_by[job] = State.queued, photo

    @precondition(lambda self: self.states)
    @rule(data=st.data(), state=ENDS)
    def end(self, data: st.DataObject, state: State) -> None:
        unfinished = [job for job, known in self.states.items() if known in UNFINISHED]
        job = data.draw(st.sampled_from([*unfinished * 3, next(reversed(self.states))]))
        photo = self.used_by[job]

        async def work(tx: Transaction) -> bool:
            ended = await jobs.end(tx, job, state=state.value, reason=None, credits_captured=0)
            if ended and not await jobs.unfinished_using(tx, photo):
                await uploads.job_ended(tx, photo, POLICY)
            return ended

        first = self.states[job] in UNFINISHED
        assert self.run(self._within(work)) is first
        if not first:
            return
        self.states[job] = state
        model, now = self.model[photo], self.clock.now()
        model.users.discard(job)
        passed = model.due.get("upload.used", now + timedelta(1)) <= now
        if not model.users and not model.saved and not passed:
            model.due["upload.used"] = now + timedelta(hours=1)

    @rule(data=st.data())
    def save(self, data: st.DataObject) -> None:
        photo = self.a_photo(data)
        self._asked(
            photo, lambda tx: uploads.save(tx, brand_id=BRAND, account_id=ACCOUNT, upload_id=photo, policy=POLICY)
        )
        model = self.model[photo]
        if model.visible(self.clock.now()) and not model.saved:
            model.saved, model.due = True, {}

    @rule(data=st.data())
    def unsave(self, data: st.DataObject) -> None:
        photo = self.a_photo(data)
        self._asked(
            photo, lambda tx: uploads.unsave(tx, brand_id=BRAND, account_id=ACCOUNT, upload_id=photo, policy=POLICY)
        )
        model = self.model[photo]
        if model.visible(self.clock.now()) and model.saved:
            model.saved = False
            model.due["upload.saved"] = self.clock.now() + timedelta(hours=1)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        photo = self.a_photo(data)
        self._asked(photo, lambda tx: uploads.ask_deletion(tx, brand_id=BRAND, account_id=ACCOUNT, upload_id=photo))
        if self.model[photo].visible(self.clock.now()):
            self.model[photo].due["upload.asked"] = self.clock.now()

    @rule(minutes=st.sampled_from([1, 29, 30, 31, 59, 60, 61, 700]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @invariant()
    def photos_are_seen_until_their_first_deadline_and_no_longer(self) -> None:
        async def seen() -> set[str]:
            async with self.database.read() as reader:
                found = set()
                for photo in self.model:
                    try:
                        await uploads.get(reader, BRAND, ACCOUNT, photo)
                    except NotFound:
                        continue
                    found.add(photo)
                return found

        now = self.clock.now()
        assert self.run(seen()) == {photo for photo, model in self.model.items() if model.visible(now)}

    @invariant()
    def an_ended_job_stays_as_it_ended(self) -> None:
        async def told() -> dict[str, str]:
            async with self.database.read() as reader:
                return {row["id"]: row["state"] for row in await reader.rows("SELECT id, state FROM generation")}

        states = self.run(told())
        assert {job: states[job] for job in self.states} == {job: state.value for job, state in self.states.items()}

    def _asked(self, photo: str, work: Any) -> None:
        if self.model[photo].visible(self.clock.now()):
            self.run(self._within(work))
            return
        with pytest.raises(NotFound):
            self.run(self._within(work))


async def _accepted(tx: Transaction, photo: str) -> str:
    job = tx.new_id("gen")
    await tx.insert(
        Generation,
        id=job,
        brand_id=BRAND,
        account_id=ACCOUNT,
        state=State.queued.value,
        style="chibi",
        style_version=1,
        variables="{}",
        aspect_ratio="1:1",
        picture_count=1,
        subject_count=1,
        models="[]",
        model_index=0,
        credits_each=1,
        credits_captured=0,
        retries=0,
        reserved_micros=0,
        reserved_day="",
        currency="USD",
        policy_digest=POLICY.digest,
        created_at=tx.now,
        expires_at=tx.now + LONGEST_JOB,
    )
    await tx.insert(
        GenerationInput,
        id=f"{job}.0",
        brand_id=BRAND,
        generation_id=job,
        position=0,
        role="subject",
        upload_id=photo,
        figurine_id=None,
    )
    return job


def test_photos_and_jobs_do_what_the_model_says(database_url: str, clock: FrozenClock) -> None:
    # A loop of its own: a pool belongs to one loop, and Hypothesis calls rules from outside of any.
    loop = asyncio.new_event_loop()
    database = Database(engine_for(database_url), clock)
    machine = type("Bound", (Machine,), {"loop": loop, "database": database, "clock": clock})
    try:
        loop.run_until_complete(database.open())
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=effort(20, soaking=500),
                stateful_step_count=30,
                deadline=None,
                database=None,
                print_blob=True,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        loop.run_until_complete(database.close())
        loop.close()
