"""`sendoff logs`."""

from __future__ import annotations

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("logs", cls=Command, example="sendoff logs -f --tail 20 @last")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@click.option("-t", "--timestamps", is_flag=True, help="Begin each line with its second.")
@options.ONE_RUN
@options.console
def command(
    console: Console, *, name: str, follow: bool, tail: int | None, timestamps: bool
) -> int:
    """Print what a run printed.

    Its stdout is printed on stdout, its stderr on stderr. Of a run with several indexes, each
    line begins with its index. With --json each piece is one line of JSON. RUN is an id, a
    prefix, @last, or RUN/INDEX.
    """
    from sendoff.selection import select
    from sendoff.terminal.reading import Reader

    (chosen,) = select((name,))
    reader = Reader(console, several=len(chosen.indexes) > 1, timestamps=timestamps)
    try:
        reader.read(chosen.indexes, follow=follow, tail=tail)
    except KeyboardInterrupt:
        if not follow:
            raise
        from sendoff.terminal.following import leave

        return leave([chosen.name], console)
    return 0
