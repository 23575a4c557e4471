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
    "backup": "Back up the database, what has no end, and the data keys (embedded).",
    "restore": "Restore a backup, or try one out (embedded).",
    "doctor": "Check that the deployment is set up so that it can keep its promises.",
    "keys": "Rotate the master keys that wrap people's data keys.",
    "ledger": "Verify that the credits add up.",
    "policy": "Check, explain, compare, render, plan, publish and try out what is promised.",
    "evidence": "Verify what shows that something was deleted.",
    "hold": "Place, lift and list legal holds.",
    "privacy": "Answer what people ask for by right.",
    "access": "See what keys may do, and who uncovered what of whom.",
    "usage": "See how a site is used; export what people let be read to improve models.",
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
