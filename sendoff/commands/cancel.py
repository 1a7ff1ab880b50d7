"""`sendoff cancel`."""

from __future__ import annotations

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("cancel", cls=Command, example="sendoff cancel train-x3k9pd/3")
@click.option("--no-wait", is_flag=True, help="Return before they have ended.")
@options.MANY_RUNS
@options.console
def command(console: Console, *, names: tuple[str, ...], no_wait: bool) -> int:
    """Stop runs.

    What they wrote until then is kept. A command is asked to end (SIGTERM) and made to (SIGKILL)
    after its grace time. RUN is an id, a prefix, @last, or RUN/INDEX.
    """
    from sendoff import outcome
    from sendoff.selection import select, wait
    from sendoff.terminal import summary

    chosen = select(names)
    for selection in chosen:
        selection.cancel()
    if not no_wait:
        wait(chosen, None)
    if console.machine:
        console.document([summary.of_run(selection.run) for selection in chosen])
        return 0
    for selection in chosen:
        for index in selection.indexes:
            console.result(f"{index.name}  {outcome.sentence(index.status)}")
    return 0
