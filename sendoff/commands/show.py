"""`sendoff show`."""

from __future__ import annotations

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("show", cls=Command, example="sendoff show @last")
@click.argument("name", type=options.RUN_NAME, metavar="RUN|sha256:…")
@options.console
def command(console: Console, *, name: str) -> int:
    """Tell all about a run or an image.

    RUN is a run's id, a prefix that no other run has, or @last (@last-1 is the one before);
    RUN/INDEX is one index of it. Of an image, named by its digest or the first digits of it, every
    run is told.
    """
    from sendoff.reproduction import late_attaching
    from sendoff.selection import select
    from sendoff.shelves import means_image
    from sendoff.terminal import description

    if means_image(name):
        from sendoff.terminal import image_description

        return image_description.show(name, console)
    (chosen,) = select((name,))
    if console.machine:
        console.document(description.document(chosen))
    else:
        for line in description.lines(chosen):
            console.result(line)
    late_attaching.of_seen([chosen.run])
    return 0
