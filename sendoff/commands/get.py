"""`sendoff get`."""

from __future__ import annotations

from pathlib import Path

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("get", cls=Command, example="sendoff get @last '*.png' -o plots")
@options.ONE_RUN
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-o", "--output", metavar="DIR", help="Where to; default: a folder called as the run."
)
@options.console
def command(console: Console, *, name: str, paths: tuple[str, ...], output: str | None) -> int:
    """Fetch files that a run wrote.

    Where they are now is printed. PATH is a file, a folder, or a pattern such as "*.png"; without
    one all files are fetched. Every file is checked against its recorded size and sha256. Of a
    run with several indexes, each has a folder of its own. RUN is an id, a prefix, @last, or
    RUN/INDEX.
    """
    from sendoff.selection import select

    (chosen,) = select((name,))
    fetched = chosen.fetch(Path(output or chosen.run.id), paths)
    if console.machine:
        console.document([{"run": index, "path": path} for index, path in fetched])
        return 0
    for _, path in fetched:
        console.result(path)
    if not fetched:
        console.say(f"{chosen.run.id} has no files; it is {chosen.run.state}")
    return 0
