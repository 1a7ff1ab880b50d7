"""`sendoff run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command(
    "run",
    cls=Command,
    example="sendoff run --timeout 30m -- python train.py --lr 3e-4",
    context_settings=options.UNTOUCHED,
)
@options.add(options.PACKING + options.WISHES + options.SENDING)
@options.WORDS
@options.console
def command(console: Console, *, project: str, words: tuple[str, ...], **asked: Any) -> int:
    """Send off one command and follow it.

    The project and its environment are packed into an image and COMMAND runs in it. What it
    prints is printed here, and its exit code is ours. Ctrl-C leaves the run to itself; a second
    one cancels it.
    """
    from sendoff.grid import SetUp
    from sendoff.preparation import Order
    from sendoff.sending import Manner, send
    from sendoff.session import Session

    manner = Manner.taken_from(asked)
    session = Session.open(Path(project), options.flags(asked))
    order = Order(setups=(SetUp(parameters={}, command=words),), **manner.naming)
    return send(session, order, manner, console)
