"""`sendoff skill`."""

from __future__ import annotations

from pathlib import Path

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("skill", cls=Command, example="sendoff skill .claude/skills/sendoff")
@click.argument("folder", required=False, metavar="[FOLDER]")
@options.console
def command(console: Console, *, folder: str | None) -> int:
    """Write the page that explains sendoff to agents.

    As SKILL.md in FOLDER, which is made, or on standard output.
    """
    text = (Path(__file__).parents[1] / "SKILL.md").read_text()
    if folder is None:
        if console.machine:
            console.document({"skill": text})
        else:
            console.result(text.rstrip("\n"))
        return 0
    from packer import disk

    path = Path(folder) / "SKILL.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk.room(path.name, path.parent):
        path.write_text(text)
    if console.machine:
        console.document({"path": str(path)})
    else:
        console.result(str(path))
    return 0
