"""A click group whose commands are imported when used, so that `--help` costs nothing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib import metadata
from importlib.metadata import EntryPoint

import click

from statuette.errors import StatuetteError

PLUGIN_COMMANDS = "statuette.commands"


class LazyGroup(click.Group):
    """Commands by name: `module → short help` for our own, entry points for those of plugins.

    A module has a click command called `command`. Plugins cannot take one of our names, and one that fails to import is
    told when it is called, not before.
    """

    def __init__(self, *, own: Mapping[str, str], name: str | None = None, help: str | None = None) -> None:
        super().__init__(name=name, help=help, no_args_is_help=True)
        self._own = dict(own)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._own, *sorted(set(_plugin_commands()) - set(self._own))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._own:
            command: click.Command = importlib.import_module(f"statuette.kernel.cli.{cmd_name}").command
            return command
        entry_point = _plugin_commands().get(cmd_name)
        return _loaded(entry_point) if entry_point is not None else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands out of the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._own.items()))
        if theirs := sorted(set(_plugin_commands()) - set(self._own)):
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, "") for name in theirs])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, but the name of a group within a group is the one that was typed."""
        _, command, rest = super().resolve_command(ctx, args)
        return args[0], command, rest


def _plugin_commands() -> dict[str, EntryPoint]:
    return {entry_point.name: entry_point for entry_point in metadata.entry_points(group=PLUGIN_COMMANDS)}


def _loaded(entry_point: EntryPoint) -> click.Command:
    try:
        command = entry_point.load()
    except Exception as error:
        raise StatuetteError(f"The command {entry_point.name!r} failed to load: {type(error).__name__}.") from error
    if not isinstance(command, click.Command):
        raise StatuetteError(f"The command {entry_point.name!r} is not a click command.")
    return command
