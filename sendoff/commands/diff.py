"""`sendoff diff`."""

from __future__ import annotations

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("diff", cls=Command, example="sendoff diff @last-1 @last")
@click.argument("was", type=options.RUN_NAME, metavar="A")
@click.argument("now", type=options.RUN_NAME, metavar="B")
@options.console
def command(console: Console, *, was: str, now: str) -> int:
    """Tell in what two runs or digests differ.

    That is: files of the project, packages, base image, request, hardware, metrics, and files that
    were written. Each is a run, RUN/INDEX, or a digest, of which the newest run is meant.
    """
    from sendoff.reproduction import differing
    from sendoff.terminal.narration import Narrator

    narrator = Narrator(console)
    try:
        found = differing.diff(was, now, progress=narrator)
    finally:
        narrator.clear()
    if console.machine:
        console.document(differing.document(found))
        return 0
    for line in differing.lines(found):
        console.result(line)
    return 0
