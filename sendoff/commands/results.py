"""`sendoff results`."""

from __future__ import annotations

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("results", cls=Command, example="sendoff results @last")
@options.MANY_RUNS
@options.console
def command(console: Console, *, names: tuple[str, ...]) -> int:
    """List the files that runs wrote.

    RUN is an id, a prefix, @last, or RUN/INDEX.
    """
    from sendoff.quantities import show_size
    from sendoff.reproduction import late_attaching
    from sendoff.selection import select

    chosen = select(names)
    indexes = [index for selection in chosen for index in selection.indexes]
    documents = [
        {"run": index.name, "state": index.state, "files": list(index.files)} for index in indexes
    ]
    late_attaching.of_seen(selection.run for selection in chosen)
    if console.machine:
        console.document(documents)
        return 0
    rows = [
        [index.name, file.path, str(file.size) if console.wide else show_size(file.size)]
        + ([file.sha256] if console.wide else [])
        for index in indexes
        for file in index.files
    ]
    if rows:
        header = ["run", "path", "size", "sha256"]
        console.table(header[: len(rows[0])], rows)
    for index in indexes:
        if not index.files:
            console.say(f"{index.name}: no files; it is {index.state}")
    return 0
