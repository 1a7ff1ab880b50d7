"""`sendoff base`. A subcommand's own module is loaded when it is used."""

from __future__ import annotations

import importlib

import click

from sendoff.cli import Group

_COMMANDS = {
    "build": "base_build",
    "list": "base_list",
    "verify": "base_verify",
    "push": "base_push",
    "prewarm": "base_prewarm",
    "status": "base_prewarm",
}
"""In the order in which an operator meets them, each with its module."""


class Bases(Group):
    """The group; its commands have the names of their functions."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All commands, in order."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, from its module."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"sendoff.commands.{_COMMANDS[cmd_name]}")
        found: click.Command = getattr(module, cmd_name if cmd_name != "list" else "listing")
        return found


@click.group("base", cls=Bases)
def command() -> None:
    """Look after base images.

    NAME is a base of the catalogue, as `sendoff base list` shows it: cpu, or cpu:3.11 for one
    Python. Without a name all are meant.
    """
