"""`sendoff export`."""

from __future__ import annotations

from pathlib import Path

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("export", cls=Command, example="sendoff export @last rebuilt")
@click.argument("name", type=options.RUN_NAME, metavar="RUN|sha256:…")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@options.console
def command(console: Console, *, name: str, folder: Path | None) -> int:
    """Write what an image was packed from.

    FOLDER gets the project's files, pylock.toml, a Dockerfile and the command: what a person needs
    to build it again without sendoff. Where it was written is printed.
    """
    from sendoff.reproduction import exporting
    from sendoff.terminal.narration import Narrator

    narrator = Narrator(console)
    try:
        found = exporting.export(name, folder, project=Path(), progress=narrator)
    finally:
        narrator.clear()
    for each in found.missing:
        console.say(f"warning: {each} is in no index, and not here: put it there", "yellow")
    if console.machine:
        console.document({name: getattr(found, name) for name in found.__struct_fields__})
        return 0
    console.say(f"{found.files} files, {found.packages} packages, on {found.base}", "faint")
    console.result(found.folder)
    return 0
