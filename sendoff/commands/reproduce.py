"""`sendoff reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("reproduce", cls=Command, example="sendoff reproduce @last --level L2")
@click.argument("name", type=options.RUN_NAME, metavar="RUN|sha256:…")
@click.option(
    "--level",
    type=click.Choice(["L0", "L1", "L2", "L3"]),
    help="What has to hold: L0 identity, L1 rebuild, L2 bitwise, L3 statistical; default: L2.",
)
@click.option("--rtol", type=float, metavar="X", help="Tolerance of L3; default: 0.01.")
@click.option("--python", metavar="PATH", help="The interpreter that L1 packs with.")
@click.option("--builder", metavar="WHERE", help="BuildKit, for what L1 has to build.")
@options.add(options.RESOURCES + options.ON_CLUSTERS + (options.DETACH,))
@options.console
def command(
    console: Console, *, name: str, level: Any, rtol: float | None, detach: bool, **asked: Any
) -> int:
    """Run a digest again and compare.

    What it takes is read from the image and from what is attached to it: no run, project or
    sandbox need be here. What it prints goes to standard error; the result is a report of which
    level holds and of the first difference. L1 runs nothing, and packs again instead. The exit
    code is 3 where the level that was asked for does not hold.

    RUN is an id, a prefix, @last, or RUN/INDEX; without INDEX all of them are run again. A digest
    may be REPOSITORY@sha256:…, or its first digits.
    """
    from sendoff.reproduction import terminal as reproducing

    return reproducing.run(
        reproducing.Wish(
            name=name,
            level=level,
            rtol=rtol,
            detach=detach,
            project=Path(),
            flags=options.flags(asked),
        ),
        console,
    )
