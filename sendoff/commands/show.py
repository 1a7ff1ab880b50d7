"""`sendoff show`."""

from __future__ import annotations

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.console import Console


@click.command("show", cls=Command, example="sendoff show @last")
@options.ONE_RUN
@options.console
def command(console: Console, *, name: str) -> int:
    """Tell all about a run.

    RUN is a run's id, a prefix that no other run has, or @last (@last-1 is the one before);
    RUN/INDEX is one index of it.
    """
    from sendoff import description
    from sendoff.selection import select

    (chosen,) = select((name,))
    if console.machine:
        console.document(description.document(chosen))
        return 0
    for line in description.lines(chosen):
        console.result(line)
    return 0
