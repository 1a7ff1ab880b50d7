"""`sendoff gpus`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command("gpus", cls=Command, example="sendoff gpus --target kubernetes")
@click.option("-a", "--all", "everything", is_flag=True, help="Also classes that are not there.")
@options.TARGET
@options.console
def command(console: Console, *, everything: bool, **asked: Any) -> int:
    """List the GPUs there are.

    Of a cluster, for each class that --gpu takes: how many, how many of them are free, on the
    node that has most as well, the drivers, and the queue. Otherwise those of this machine.
    """
    from sendoff import hardware
    from sendoff.quantities import show_size
    from sendoff.session import Session

    session = Session.open(Path(), options.flags(asked))
    found = hardware.look(session, everything=everything)
    if console.machine:
        console.document(hardware.document(found))
        return 0
    if found.target == "kubernetes":
        if found.offers:
            console.table(hardware.HEADER, hardware.rows(found))
        else:
            console.say("no node has GPUs of a known class: sendoff gpus --all")
        for line in hardware.remarks(found):
            console.say(line, "faint")
        return 0
    cells = [[each["name"], show_size(each["memory"]), each["driver"]] for each in found.machine]
    if cells:
        console.table(["gpu", "memory", "driver"], cells)
    else:
        console.say("this machine has no GPU, or no driver for one: none")
    return 0
