"""`sendoff base`."""

from __future__ import annotations

import click

from sendoff.cli import Group
from sendoff.commands.base_prewarm import prewarm, status


@click.group("base", cls=Group)
def command() -> None:
    """Look after base images."""


command.add_command(prewarm)
command.add_command(status)
