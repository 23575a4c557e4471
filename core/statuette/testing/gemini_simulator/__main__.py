"""Run the simulator in a process of its own, for demos, benchmarks and chaos tests."""

from __future__ import annotations

import argparse
import asyncio
import signal

from statuette.testing.gemini_simulator.cases import Case
from statuette.testing.gemini_simulator.server import DEFAULT_MODELS, GeminiSimulator


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulator = GeminiSimulator(
        api_key=options.api_key,
        latency_seconds=options.latency,
        port=options.port,
        models=tuple(options.models.split(",")),
        picture_edge=options.picture_edge,
    )
    simulator.default = Case(options.case)
    async with simulator:
        print(f"listening on {simulator.base_url}", flush=True)  # noqa: T201 - a command speaks to its terminal
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m statuette.testing.gemini_simulator")
    parser.add_argument("--port", type=int, default=8090, help="loopback port; 0 picks a free one and prints it")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds each answer takes")
    parser.add_argument("--api-key", default="simulator-key", help="the only key that is accepted")
    parser.add_argument("--case", default=Case.success.value, choices=[case.value for case in Case])
    parser.add_argument("--models", default=",".join(DEFAULT_MODELS), help="comma-separated model ids that exist")
    parser.add_argument("--picture-edge", type=int, default=512, help="longest edge of the pictures made, pixels")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
