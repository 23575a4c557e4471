"""`statuette worker`: does the work that is queued."""

from __future__ import annotations

import click

from statuette.kernel.cli.process import of_cluster, ready, run
from statuette.kernel.platform import Platform
from statuette.kernel.work.queues import QUEUES


@click.command("worker")
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Choice(QUEUES),
    help="Serve this queue only; may be given several times. All of them unless given.",
)
def worker(queues: tuple[str, ...]) -> None:
    """Do the work that is queued, until stopped. Any number may run.

    SIGTERM lets what is in hand end, for `stop_seconds` at most; what takes longer goes on in another worker.
    """
    settings = of_cluster("worker")

    async def main(platform: Platform) -> None:
        from statuette.kernel.cli.stopping import Stop
        from statuette.kernel.running import Role, running

        stop = Stop()
        async with running(platform, frozenset({Role.worker}), queues or QUEUES):
            ready(platform, "worker")
            await stop.wait()

    run(settings, "worker", main)


command = worker
