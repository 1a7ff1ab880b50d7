"""`sendoff config`."""

from __future__ import annotations

from pathlib import Path

import click

from sendoff import options
from sendoff.cli import Command, Group
from sendoff.terminal.console import Console


@click.group("config", cls=Group)
def command() -> None:
    """Tell which settings are in force.

    A setting comes from a flag, else a variable SENDOFF_*, else the project's sendoff.toml or
    [tool.sendoff] in its pyproject.toml, else the user's sendoff/config.toml, else the default.
    A variable that is empty counts as unset.
    """


@command.command("show", cls=Command)
@click.option("--project", metavar="DIR", default=".", help="Whose settings; default: here.")
@options.console
def show(console: Console, *, project: str) -> int:
    """Tell every setting's value and where it comes from."""
    from sendoff.session import Session
    from sendoff.settings.catalogue import SETTINGS
    from sendoff.settings.configuration import as_builtins

    configuration = Session.open(Path(project)).configuration
    values = {
        setting.key: as_builtins(getattr(configuration.settings, setting.field))
        for setting in SETTINGS
    }
    sources = configuration.sources
    if console.machine:
        console.document(
            {key: {"value": value, "source": sources[key]} for key, value in values.items()}
        )
        return 0
    rows = [[key, _text(value), sources[key]] for key, value in values.items()]
    console.table(["setting", "value", "from"], rows)
    return 0


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={part}" for name, part in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "-" if value is None else str(value) or "-"
