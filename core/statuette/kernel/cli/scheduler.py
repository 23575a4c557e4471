"""`statuette scheduler`: sees to it that what is due is done."""

from __future__ import annotations

import click

from statuette.kernel.cli.process import of_cluster, ready, run
from statuette.kernel.platform import Platform


@click.command("scheduler")
def scheduler() -> None:
    """Relay work, keep deadlines, and take over from processes that died, until stopped. Any number may run; one ticks."""
    settings = of_cluster("scheduler")

    async def main(platform: Platform) -> None:
        from statuette.kernel.cli.stopping import Stop
        from statuette.kernel.running import Role, running

        stop = Stop()
        async with running(platform, frozenset({Role.scheduler})):
            ready(platform, "scheduler")
            await stop.wait()

    run(settings, "scheduler", main)


command = scheduler
