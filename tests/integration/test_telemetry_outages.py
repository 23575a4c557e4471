"""A receiver of telemetry that is away, silent or unfriendly is nobody's trouble but the operator's, who hears of it once."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from statuette.testing.otlp_receiver import OtlpReceiver
from statuette.testing.wire import WireReply, WireRequest, WireServer
from tests.chaos.deployment import Embedded, free_port
from tests.chaos.program import Program

KEY = "the-key-that-the-receiver-wants"
REQUESTS = 300
# If requests waited for what is sent, each batch of 16 would cost them the 2 s that a silent receiver is given.
ANSWERED_WITHIN_SECONDS = 25
ENDED_WITHIN_SECONDS = 15
TROUBLE = ("unreachable", "silent", "busy", "refusing")
SOON_SECONDS = 30


class Receiver:
    """Answers as it is told. Counts what arrives.

    Attributes:
        status: of the answers; None gives none.
        keys: the key that was shown with each request.
    """

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.keys: list[str | None] = []

    async def answer(self, request: WireRequest, reply: WireReply) -> None:
        self.keys.append(request.headers.get("x-key"))
        if self.status is None:
            await asyncio.Event().wait()
        else:
            await reply.send(self.status, b"", {"content-type": "application/x-protobuf"})


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_requests_are_answered_and_the_end_comes_in_time_whatever_the_receiver_does(
    tmp_path: Path, trouble: str
) -> None:
    receiver = Receiver({"busy": 503, "refusing": 401}.get(trouble))
    async with WireServer(receiver.answer) as server:
        url = f"http://127.0.0.1:{free_port()}" if trouble == "unreachable" else server.base_url

        # Given a process that traces every request, and a receiver that takes nothing
        async with _serving(tmp_path, url) as program:
            # When more is asked of it than it can keep for later
            async with asyncio.timeout(ANSWERED_WITHIN_SECONDS):
                await _ask(program, REQUESTS)

            # Then all of it is answered, and the operator reads once for each signal that nothing arrives
            await _logged(program, "telemetry_not_sent", 2)
            # And it ends when it is asked to
            async with asyncio.timeout(ENDED_WITHIN_SECONDS):
                assert await program.stop() == 0
            told = _events(program)
            assert told["telemetry_not_sent"] == 2
            # And nobody else complains, and the key is not told
            assert not [line for line in _lines(program) if line["logger"].startswith("opentelemetry")]
            assert KEY not in program.written()
            if trouble != "unreachable":
                assert set(receiver.keys) == {KEY}


# The time that a batch is given is the default, 10 s; two wait.
_PROGRAM = """
import sys
from statuette.kernel import telemetry

telemetry.configure(otlp_endpoint=sys.argv[1], sampling=1.0)
for _ in range(600):
    with telemetry.span("work"):
        telemetry.terminal_states.add(1, {"state": "succeeded"})
telemetry.flush()
"""


async def test_a_process_that_has_nothing_more_to_do_ends_though_nobody_takes_its_telemetry() -> None:
    receiver = Receiver(None)
    async with WireServer(receiver.answer) as server:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", _PROGRAM, server.base_url)

        try:
            async with asyncio.timeout(ENDED_WITHIN_SECONDS):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()

    assert receiver.keys


async def test_a_receiver_that_comes_back_gets_what_happens_from_then_on(tmp_path: Path) -> None:
    port = free_port()

    # Given a process whose receiver is away
    async with _serving(tmp_path, f"http://127.0.0.1:{port}") as program:
        await _ask(program, 1)
        await _logged(program, "telemetry_not_sent", 2)

        # When it comes back
        async with OtlpReceiver(port=port) as receiver, asyncio.timeout(SOON_SECONDS):
            while not (receiver.spans("GET /healthz") and receiver.metrics()):
                await _ask(program, 1)
                await asyncio.sleep(0.1)

        # Then that is told once for each signal, too
        await _logged(program, "telemetry_sent_again", 2)


@asynccontextmanager
async def _serving(folder: Path, otlp_endpoint: str) -> AsyncIterator[Program]:
    settings = {
        "STATUETTE_OTLP_ENDPOINT": otlp_endpoint,
        "STATUETTE_TRACE_SAMPLING": "1",
        "STATUETTE_OTLP_HEADERS": f"x-key={KEY},this is no header but has {KEY} in it",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_BSP_MAX_QUEUE_SIZE": "64",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
    }
    async with Embedded(folder, settings) as deployment:
        (program,) = deployment.programs
        yield program


async def _ask(program: Program, times: int) -> None:
    async with httpx.AsyncClient(base_url=str(program.url), trust_env=False, timeout=30) as http:
        for _ in range(times):
            assert (await http.get("/healthz")).status_code == 200


async def _logged(program: Program, event: str, times: int) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        while _events(program)[event] < times:  # noqa: ASYNC110 - a log can only be looked at
            await asyncio.sleep(0.05)


def _events(program: Program) -> Counter[str]:
    return Counter(line["event"] for line in _lines(program))


def _lines(program: Program) -> list[dict[str, str]]:
    return [json.loads(line) for line in program.written().splitlines() if line.startswith('{"at"')]
