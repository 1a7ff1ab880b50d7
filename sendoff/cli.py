"""The command line's first word. A command's own module is loaded when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from sendoff.terminal.console import abandon, is_terminal

COMMANDS = {
    "run": "Send off one command and follow it.",
    "sweep": "Send off one command many ways.",
    "pack": "Pack the sandbox and print its digest.",
    "ps": "List runs, the newest first.",
    "show": "Tell all about a run or an image.",
    "logs": "Print what a run printed.",
    "wait": "Wait until runs have ended.",
    "results": "List the files that runs wrote.",
    "get": "Fetch files that a run wrote.",
    "compare": "Set runs side by side.",
    "cost": "Add up what runs took of each GPU class.",
    "cancel": "Stop runs.",
    "rerun": "Send a run's images off again.",
    "reproduce": "Run a digest again and compare.",
    "export": "Write what an image was packed from.",
    "diff": "Tell in what two runs or digests differ.",
    "base": "Look after base images.",
    "gpus": "List the GPUs there are.",
    "doctor": "Check that everything a run needs is there.",
    "init": "Write the configuration.",
    "config": "Tell which settings are in force.",
    "mcp": "Serve agents by the Model Context Protocol.",
    "skill": "Write the page that explains sendoff to agents.",
    "completion": "Print a shell's completion script.",
}
_ELSEWHERE = {
    "delete": "cancel",
    "describe": "show",
    "exec": "run",
    "info": "show",
    "inspect": "show",
    "jobs": "ps",
    "kill": "cancel",
    "launch": "run",
    "list": "ps",
    "ls": "ps",
    "nodes": "gpus",
    "rm": "cancel",
    "status": "ps",
    "stop": "cancel",
    "submit": "run",
}
"""Commands by the names that other programs have for them."""
READER_GONE = 141
"""As a shell reports a program that SIGPIPE ended."""
EXAMPLE = "sendoff run -- python train.py --lr 3e-4"


class Command(click.Command):
    """A command whose help is set for its reader and ends with an example."""

    def __init__(self, *args: Any, example: str = "", **named: Any) -> None:
        super().__init__(*args, **named)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The example, on one line however long it is, so that it can be copied."""
        if self.example:
            formatter.write(f"\nExample:\n  {self.example}\n")

    def get_help(self, ctx: click.Context) -> str:
        """The help text; on a terminal in colours and panels."""
        return _help(self, ctx) or super().get_help(ctx)


class Group(click.Group):
    """A group whose help is set for its reader."""

    command_class = Command

    def get_help(self, ctx: click.Context) -> str:
        """The help text; on a terminal in colours and panels."""
        return _help(self, ctx) or super().get_help(ctx)


class Root(Group):
    """`sendoff` itself: knows its commands by name, and loads the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All commands, in the order a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, from its module."""
        if cmd_name not in COMMANDS:
            return None
        loaded = self.commands.get(cmd_name)
        if loaded is None:
            loaded = importlib.import_module(f"sendoff.commands.{cmd_name}").command
            self.commands[cmd_name] = loaded
        return loaded

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does, with the nearest of all commands where there is none."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            known = _ELSEWHERE.get(args[0])
            # Of these, click names those that are like what was typed: here none need be.
            error = click.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
            if known:
                error.possibilities = [known]  # type: ignore[misc]
            raise error
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The first thing to try."""
        formatter.write(f"\nExample:\n  {EXAMPLE}\n")

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; where the reader of our output has gone, as a shell expects it."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            abandon(sys.stdout)
            raise click.exceptions.Exit(READER_GONE) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _help(command: click.Command, ctx: click.Context) -> str:
    if not is_terminal(sys.stdout):
        return ""
    from sendoff.terminal.help import rich_help

    return rich_help(command, ctx)


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from sendoff.version import VERSION

        click.echo(f"sendoff {VERSION}")
        ctx.exit()


@click.command(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version and exit.",
)
def root() -> None:
    """Package the sandbox an experiment lives in and send it off."""
