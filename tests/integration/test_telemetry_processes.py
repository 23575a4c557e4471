"""Several processes, killed and stopped, tell one story to a collector that is not ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from statuette.kernel.telemetry.instruments import DECLARED
from statuette.testing.gemini_simulator import Case, GeminiSimulator
from statuette.testing.otlp_receiver import OtlpReceiver, ReceivedLink, ReceivedSeries, ReceivedSpan
from statuette.testing.servers import CollectorServer
from statuette.testing.wire import WireReply, WireRequest
from tests.chaos.cluster import Cluster
from tests.chaos.person import Person
from tests.chaos.program import Program

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRANGER = "0af7651916cd43dd8448eb211c80319c"
WITHIN_SECONDS = 60
API_KEY = "simulated-key-of-gemini"


class Model(GeminiSimulator):
    """The simulated model, and the names of the headers that its callers send."""

    heard: set[str] = set()

    async def _handle(self, request: WireRequest, reply: WireReply) -> None:
        self.heard |= set(request.headers)
        await super()._handle(request, reply)


class Observed(msgspec.Struct, frozen=True):
    """A cluster whose processes send what they tell to a collector, which passes it on to `receiver`."""

    cluster: Cluster
    receiver: OtlpReceiver
    model: Model
    operator_key: str

    async def spans(self, name: str, *, trace_id: str | None = None, count: int = 1) -> list[ReceivedSpan]:
        """Those of that name, as soon as there are as many."""
        await self.until(lambda: len(self.receiver.spans(name, trace_id=trace_id)) >= count)
        return self.receiver.spans(name, trace_id=trace_id)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_SECONDS):
            while not condition():  # noqa: ASYNC110 - what other processes send can only be looked for
                await asyncio.sleep(0.05)

    def series(self, metric: str) -> list[ReceivedSeries]:
        return self.receiver.metrics().get(metric, [])

    def total(self, metric: str, **attributes: str) -> float:
        """Of a counter: over all processes."""
        return sum(each.value for each in self.series(metric) if each.attributes == attributes)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def observed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Observed]:
    async with OtlpReceiver() as receiver, Model(api_key=API_KEY, picture_edge=96) as model:
        collector = CollectorServer(receiver.url)
        await asyncio.to_thread(collector.__enter__)
        try:
            settings = {
                "GEMINI_API_KEY": API_KEY,
                "GEMINI_BASE_URL": model.base_url,
                "STATUETTE_OTLP_ENDPOINT": collector.url,
                "STATUETTE_TRACE_SAMPLING": "1",
                "OTEL_BSP_SCHEDULE_DELAY": "100",
                "OTEL_METRIC_EXPORT_INTERVAL": "500",
                "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=tests",
            }
            folder: Path = tmp_path_factory.mktemp("observed")
            async with Cluster(folder, settings) as cluster:
                yield Observed(cluster, receiver, model, await cluster.apply_brand())
        finally:
            await asyncio.to_thread(collector.__exit__)


async def test_one_trace_leads_through_the_processes_though_one_is_killed_on_the_way(observed: Observed) -> None:
    # Given somebody with a photo, and a model that does not answer the first call
    person = Person(observed.cluster, "ada")
    await person.arrive(observed.operator_key)
    await person.upload()
    observed.model.script(Case.hang)

    # When they order a figurine, naming a trace of their own, and the worker that calls the model is killed
    person.http.headers["traceparent"] = f"00-{STRANGER}-b7ad6b7169203331-01"
    person.http.headers["baggage"] = "who=ada"
    ordered = await person.order()
    await observed.model.wait_for_in_flight(1)
    killed = await _worker_of(observed.cluster, ordered)
    await killed.kill()

    # Then another worker makes the figurine
    assert (await person.finished(ordered))["state"] == "succeeded"
    # And one trace, of our own, leads from the API process to the second worker's call and the store
    (order,) = await observed.spans("POST /v1/generations")
    assert (order.kind, order.parent_id) == ("server", None)
    assert order.trace_id != STRANGER
    assert order.links == (ReceivedLink(STRANGER, "b7ad6b7169203331"),)
    assert order.resource["service.instance.id"] in {program.process_id for program in observed.cluster.of("api")}
    (work,) = await observed.spans("work generate", trace_id=order.trace_id)
    (survivor,) = [worker for worker in observed.cluster.of("worker") if worker is not killed]
    assert (work.kind, work.parent_id, work.error) == ("consumer", order.span_id, None)
    assert _sender(work) == {
        "service.name": "statuette",
        "service.instance.id": survivor.process_id,
        "statuette.role": "worker",
        "deployment.environment.name": "tests",
    }
    for name, kind in (
        ("storage read", "internal"),
        ("egress gemini", "client"),
        ("render", "internal"),
        ("storage put", "internal"),
        ("database prepare", "internal"),
    ):
        # The killed one had read the photo, too.
        steps = observed.receiver.spans(name, trace_id=order.trace_id)
        (step,) = [step for step in steps if step.parent_id == work.span_id]
        assert (step.kind, step.error) == (kind, None), name
    ended = observed.receiver.spans("database record", trace_id=order.trace_id)[-1]
    assert (ended.parent_id, ended.error) == (work.span_id, None)
    # And the model's vendor learns nothing of it, nor the stranger's baggage
    assert observed.model.heard
    assert not observed.model.heard & {"traceparent", "tracestate", "baggage"}
    # And the scheduler tells of the work that the killed one left
    await observed.until(lambda: observed.total("statuette.work.leases_expired", queue="interactive") >= 1)
    await killed.start()


async def test_a_deletion_is_a_trace_of_its_own_that_points_at_the_request_that_asked_for_it(
    observed: Observed,
) -> None:
    person = Person(observed.cluster, "grace")
    await person.arrive(observed.operator_key)
    photo = await person.upload()

    deleted = await person.http.delete(f"/v1/uploads/{photo}")

    assert deleted.status_code == 204
    (asked,) = await observed.spans("DELETE /v1/uploads/{upload_id}")
    (enforced,) = await observed.spans("enforce")
    assert enforced.trace_id != asked.trace_id
    assert enforced.links == (ReceivedLink(asked.trace_id, asked.span_id),)
    assert enforced.resource["statuette.role"] == "worker"
    assert enforced.attributes["privacy.rule.id"] == "upload.asked"
    assert enforced.attributes["privacy.outcome"] == "verified"
    assert {"privacy.policy.digest", "privacy.due_at"} <= set(enforced.attributes)
    (erased,) = await observed.spans("storage delete", trace_id=enforced.trace_id)
    assert (erased.parent_id, erased.attributes) == (enforced.span_id, {"privacy.store": "s3"})


async def test_metrics_tell_of_the_whole_deployment_and_of_nobody_in_it(observed: Observed) -> None:
    # Given somebody who has used the site
    person = Person(observed.cluster, "edith")
    await person.arrive(observed.operator_key)
    photo = await person.upload()
    job = await person.order()
    await person.finished(job)
    await person.http.delete(f"/v1/uploads/{photo}")

    # Then one scheduler of the two ticks, and tells which processes there are and that nothing is late
    await observed.until(lambda: sum(each.value for each in observed.series("statuette.enforcement.lag")) > 0)
    await observed.until(
        lambda: sorted(each.value for each in _of_the_living(observed, "statuette.scheduler.leading")) == [0, 1]
    )
    await observed.until(
        lambda: (
            {each.attributes["role"]: each.value for each in observed.series("statuette.processes")}
            == {"api": 2, "worker": 2, "scheduler": 2}
        )
    )
    # And each metric comes from the processes that can know
    for metric, role in {
        "http.server.request.duration": "api",
        "statuette.pixels.wait": "api",
        "db.client.connection.wait_time": "scheduler",
        "statuette.work.queue_age": "worker",
        "statuette.work.duration": "worker",
        "statuette.work.in_hand": "worker",
        "statuette.provider.latency": "worker",
        "statuette.generation.outcomes": "worker",
        "statuette.generation.states": "worker",
        "statuette.provider.cost": "worker",
        "statuette.work.due": "scheduler",
        "statuette.work.oldest_due_age": "scheduler",
        "statuette.enforcement.overdue": "scheduler",
        "statuette.enforcement.oldest_overdue_age": "scheduler",
        "statuette.enforcement.heartbeat": "scheduler",
        "statuette.scheduler.tick": "scheduler",
    }.items():
        await observed.until(
            lambda metric=metric, role=role: (  # type: ignore[misc]
                role in {each.resource["statuette.role"] for each in observed.series(metric)}
            )
        )
    # And none is sent that the reference does not describe
    described = {each.name: set(each.attributes) for each in DECLARED}
    for metric, series in observed.receiver.metrics().items():
        assert {name for each in series for name in each.attributes} <= described[metric], metric
    # And neither spans nor metrics carry an id, an address or a key of anybody
    told = msgspec.json.encode([observed.receiver.spans(), observed.receiver.metrics()]).decode()
    for private in (person.account_id, person.email, person.words, photo, job, API_KEY, observed.operator_key):
        assert private not in told


async def test_what_redis_did_not_take_is_counted(observed: Observed) -> None:
    # Given somebody who is about to order when Redis goes away
    person = Person(observed.cluster, "mary")
    await person.arrive(observed.operator_key)
    await person.upload()
    await asyncio.to_thread(observed.cluster.redis.stop)
    try:
        # When they order
        job = await person.finished(await person.order())

        # Then the figurine is made, and the lost hint and signals are counted
        assert job["state"] == "succeeded"
        await observed.until(lambda: observed.total("statuette.work.hints_lost", queue="interactive") >= 1)
        await observed.until(lambda: observed.total("statuette.signals.lost") >= 1)
    finally:
        await asyncio.to_thread(observed.cluster.redis.start)


async def _worker_of(cluster: Cluster, generation_id: str) -> Program:
    async with cluster.database() as database, database.read() as reader:
        holder = await reader.value("SELECT held_by FROM work_item WHERE subject_id = :id", id=generation_id)
    (worker,) = [program for program in cluster.of("worker") if program.process_id == holder]
    return worker


def _of_the_living(observed: Observed, metric: str) -> list[ReceivedSeries]:
    living = {program.process_id for program in observed.cluster.programs}
    return [each for each in observed.series(metric) if each.resource["service.instance.id"] in living]


def _sender(span: ReceivedSpan) -> dict[str, object]:
    names = ("service.name", "service.instance.id", "statuette.role", "deployment.environment.name")
    return {name: span.resource.get(name) for name in names}
