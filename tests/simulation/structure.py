"""How the platform's transactions are built: statements, rows that others want too, and where its own time goes.

Recorded from the real application in this process, one thing after another, so that what the loop's thread takes between two
statements belongs to what is under way.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from statuette.kernel.db import postgres
from statuette.testing.scripted_image import Answer, ScriptedImageProvider
from tests.bench.load import get, post
from tests.profiles import embedded
from tests.simulation.client import exchanged, form
from tests.simulation.measured import Row, Stretch
from tests.site import Site, Visitor, serving

_ROUNDS = 15
_ROWS: dict[str, Row] = {"FROM wallet": "wallet", "UPDATE wallet": "wallet", "UPDATE cost_day": "ceiling"}


class Shape(msgspec.Struct, frozen=True):
    """As in `measured.Operation`."""

    transactions: tuple[tuple[Stretch, ...], ...]
    reads: int
    before: int


@dataclass(frozen=True)
class _Event:
    task: str
    connection: int
    kind: str
    """`begin`, `commit`, or the SQL."""
    thread_seconds: float
    """Of the loop's thread, when it was sent."""
    done_seconds: float
    """The same, when it was answered."""


async def shapes(database_url: str, folder: Path, photo: bytes) -> dict[str, Shape]:
    """By kind: order, work, upload, enforce."""
    async with _quiet_site(database_url, folder) as (site, person, port):
        token = person.http.headers["Authorization"]
        upload = await person.upload(photo)
        order = post(
            "/v1/generations",
            {"Authorization": token},
            json.dumps({"inputs": [{"upload_id": upload["id"]}], "style": "chibi"}).encode(),
        )

        async def job() -> None:
            [body] = await exchanged(port, lambda _: order, connections=1, total=1)
            path = f"/v1/generations/{json.loads(body)['id']}"
            await exchanged(
                port, lambda _: get(path, {"Authorization": token, "Prefer": "wait=20"}), connections=1, total=1
            )

        async def upload_one() -> None:
            request = form("/v1/uploads", {"Authorization": token}, photo)
            await exchanged(port, lambda _: request, connections=1, total=1)

        async def deletion() -> None:
            made = await person.upload(photo)
            gone = await person.http.delete(f"/v1/uploads/{made['id']}")
            assert gone.status_code == 204, gone.text
            await site.platform.enforcer.hand_out()
            await site.settled()

        jobs = await _recorded(job)
        return {
            "order": _shape(jobs, 'INSERT INTO "generation" ', None),
            "work": _shape(jobs, 'INSERT INTO "attempt" ', 'INSERT INTO "attempt" '),
            "upload": _shape(await _recorded(upload_one), 'INSERT INTO "upload" ', 'INSERT INTO "upload" '),
            "enforce": _shape(await _recorded(deletion), "DELETE FROM upload", "FOR UPDATE", last=True),
        }


@asynccontextmanager
async def _quiet_site(database_url: str, folder: Path) -> AsyncIterator[tuple[Site, Visitor, int]]:
    """A site whose scheduler stands still."""
    model = ScriptedImageProvider(default=Answer(delay=timedelta(milliseconds=20)))
    async with serving(folder, embedded(database_url), scripted=model, worker_concurrency=1) as site:
        await site.apply_brand(ceiling="1000000.00", limits_in_flight=100_000)
        person = await site.person(credits=10_000)
        await site.platform.scheduler.stop()
        yield site, person, int(site.url.rsplit(":", 1)[1])


async def _recorded(do: Callable[[], Awaitable[None]]) -> list[list[_Event]]:
    """What the database is asked while it is done, several times; the first ones, which warm up, are left out."""
    rounds = []
    for _ in range(_ROUNDS + 5):
        with _recording() as events:
            await do()
            await asyncio.sleep(0.03)
        rounds.append(events)
    return rounds[5:]


@contextmanager
def _recording() -> Iterator[list[_Event]]:
    """What is sent to the database from now on."""
    events: list[_Event] = []
    fetch, begun, commit = postgres.PostgresConnection.fetch, postgres._begun, postgres._commit

    async def noted(connection: Any, kind: str, call: Awaitable[Any]) -> Any:
        began = time.thread_time()
        answer = await call
        events.append(_Event(_task_name(), connection, kind, began, time.thread_time()))
        return answer

    async def our_fetch(self: postgres.PostgresConnection, sql: str, parameters: dict[str, Any]) -> Any:
        return await noted(_raw(self.raw), sql, fetch(self, sql, parameters))

    async def our_begun(pool: Any, connection: Any) -> Any:
        return await noted(_raw(connection), "begin", begun(pool, connection))

    async def our_commit(connection: Any) -> None:
        await noted(_raw(connection), "commit", commit(connection))

    postgres.PostgresConnection.fetch = our_fetch  # type: ignore[method-assign]
    postgres._begun, postgres._commit = our_begun, our_commit
    try:
        yield events
    finally:
        postgres.PostgresConnection.fetch = fetch  # type: ignore[method-assign]
        postgres._begun, postgres._commit = begun, commit


def _task_name() -> str:
    task = asyncio.current_task()
    assert task is not None
    return task.get_name()  # its id is used again


def _raw(connection: Any) -> int:
    return id(connection._con)


def _shape(rounds: list[list[_Event]], marks: str, boundary: str | None, *, last: bool = False) -> Shape:
    """The median of the task whose statements contain `marks`.

    Args:
        boundary: the call comes after the transaction with this statement.
        last: that with the last such one, instead of the first.
    """
    found = [_of_task(events, marks) for events in rounds]
    alike = [each for each in found if _outline(each) == _outline(found[-1])]
    assert len(alike) > len(found) / 2, "what is done takes another course every time"
    shares = [[share for one in _transactions(each) for _, _, share in one] for each in alike]
    median = iter([statistics.median(column) for column in zip(*shares, strict=True)])
    transactions = tuple(
        tuple(Stretch(row, trips, next(median)) for row, trips, _ in one) for one in _transactions(found[-1])
    )
    held = _split(found[-1])
    marked = [at for at, one in enumerate(held) if boundary is not None and any(boundary in e.kind for e in one)]
    before = 0 if not marked else 1 + (marked[-1] if last else marked[0])
    in_transactions = sum(map(len, held))
    return Shape(transactions, len(found[-1]) - in_transactions, before)


def _of_task(events: list[_Event], marks: str) -> list[_Event]:
    """In the order in which they were sent."""
    [task] = {event.task for event in events if marks in event.kind}
    return sorted((event for event in events if event.task == task), key=lambda event: event.thread_seconds)


def _outline(events: list[_Event]) -> list[str]:
    return [event.kind for event in events]


def _split(events: list[_Event]) -> list[list[_Event]]:
    """The transactions; what is outside of them is left out."""
    found: list[list[_Event]] = []
    inside = False
    for event in events:
        if event.kind == "begin":
            found.append([])
            inside = True
        if inside:
            found[-1].append(event)
        inside = inside and event.kind != "commit"
    return found


def _transactions(events: list[_Event]) -> list[list[tuple[Row, int, float]]]:
    """Stretches: the row, statements, and the share of the thread's time from the first statement to the last answer."""
    whole = events[-1].done_seconds - events[0].thread_seconds
    told = []
    for transaction in _split(events):
        cuts: list[tuple[Row, int]] = [("", 0)]
        for at, event in enumerate(transaction):
            row = next((row for text, row in _ROWS.items() if text in event.kind), "")
            if row and row not in [each for each, _ in cuts]:
                cuts.append((row, at))
        ends = [at for _, at in cuts[1:]] + [len(transaction)]
        stretches: list[tuple[Row, int, float]] = []
        for (row, start), end in zip(cuts, ends, strict=True):
            began = transaction[start].thread_seconds
            until = transaction[end].thread_seconds if end < len(transaction) else transaction[-1].done_seconds
            stretches.append((row, end - start, (until - began) / whole))
        told.append(stretches)
    return told
