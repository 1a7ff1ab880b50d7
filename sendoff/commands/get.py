"""`sendoff get`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
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
    run with several indexes, each has a folder of its own. A folder called as the run is made
    with a .gitignore and a .sendoffignore of all that is in it, so that results are not packed
    with the next run. RUN is an id, a prefix, @last, or RUN/INDEX.
    """
    from sendoff.selection import select

    (chosen,) = select((name,))
    folder = Path(output or chosen.run.id)
    with _ignored(folder) if not output and not folder.exists() else nullcontext():
        fetched = chosen.fetch(folder, paths)
    if console.machine:
        console.document([{"run": index, "path": path} for index, path in fetched])
        return 0
    for _, path in fetched:
        console.result(path)
    if not fetched:
        console.say(f"{chosen.run.id} has no files; it is {chosen.run.state}")
    return 0


@contextmanager
def _ignored(folder: Path) -> Iterator[None]:
    """A folder that is being made is kept out of git and of images, as venv does with its own."""
    try:
        yield
    finally:
        if folder.is_dir():
            for name in (".gitignore", ".sendoffignore"):
                # One that the run wrote is a result.
                with suppress(FileExistsError), (folder / name).open("x") as file:
                    file.write("*\n")
