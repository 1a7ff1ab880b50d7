"""`sendoff wait`."""

from __future__ import annotations

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("wait", cls=Command, example="sendoff wait --timeout 50s train-x3k9pd eval-")
@click.option("--timeout", metavar="TIME", help="Give up after this time, such as 50s.")
@options.MANY_RUNS
@options.console
def command(console: Console, *, names: tuple[str, ...], timeout: str | None) -> int:
    """Wait until runs have ended.

    Exits with 0 if all succeeded, 1 if any did not, and 124 if any is still going on when the
    time-out is reached. RUN is an id, a prefix, @last, or RUN/INDEX.
    """
    from sendoff import outcome
    from sendoff.errors import Misuse
    from sendoff.quantities import parse_duration
    from sendoff.selection import select, wait
    from sendoff.terminal import summary

    try:
        seconds = None if timeout is None else parse_duration(timeout)
    except ValueError as error:
        raise Misuse("can't use --timeout", str(error), "for half an hour: --timeout 30m") from None
    chosen = select(names)
    try:
        wait(chosen, seconds)
    except KeyboardInterrupt:
        from sendoff.terminal.following import leave

        return leave([selection.name for selection in chosen], console)
    indexes = [index for selection in chosen for index in selection.indexes]
    if console.machine:
        console.document([summary.of_run(selection.run) for selection in chosen])
    else:
        for index in indexes:
            console.result(f"{index.name}  {outcome.sentence(index.status)}")
    if not all(index.status.final for index in indexes):
        return outcome.TIMED_OUT
    return outcome.of_all(index.state for index in indexes)
