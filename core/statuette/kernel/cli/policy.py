"""`statuette policy`: what is promised, and publishing it."""

from __future__ import annotations

import click

from statuette.kernel.cli.policy_check import check
from statuette.kernel.cli.policy_diff import diff
from statuette.kernel.cli.policy_drill import drill
from statuette.kernel.cli.policy_explain import explain
from statuette.kernel.cli.policy_plan import apply, plan, plans, simulate
from statuette.kernel.cli.policy_publish import publish
from statuette.kernel.cli.policy_render import render


@click.group("policy")
def command() -> None:
    """Check, explain, compare, render, plan, publish and try out what the privacy policy promises."""


for each in (apply, check, diff, drill, explain, plan, plans, publish, render, simulate):
    command.add_command(each)
