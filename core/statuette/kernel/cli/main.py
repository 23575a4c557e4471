"""The command `statuette`."""

from __future__ import annotations

import sys

import click

from statuette.errors import StatuetteError
from statuette.kernel.cli.lazy import LazyGroup

_COMMANDS = {
    "serve": "Serve the API; in the embedded profile also do the work.",
    "worker": "Do the work that is queued (cluster).",
    "scheduler": "See to it that what is due is done (cluster).",
    "processes": "List the processes that are alive.",
    "quickstart": "Make a brand ready to be called, with one command.",
    "migrate": "Bring the database to this version's schema.",
    "brand": "Apply brand files; list brands; make and revoke keys.",
    "ledger": "Verify that the credits add up.",
    "findings": "List what needs a look.",
    "plugins": "List plugins, what they offer, and why one is kept out.",
}

root = LazyGroup(own=_COMMANDS, name="statuette", help="The headless platform under AI figurine sites.")


def main() -> None:
    """Run a command. What is wrong is one clear line with its cure, and exit code 2."""
    try:
        root.main(prog_name="statuette")
    except StatuetteError as error:
        click.echo(f"error: {error.detail}", err=True)
        if error.cure:
            click.echo(f"  cure: {error.cure}", err=True)
        sys.exit(2)
