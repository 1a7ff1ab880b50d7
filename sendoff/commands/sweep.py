"""`sendoff sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console


@click.command(
    "sweep",
    cls=Command,
    example="sendoff sweep -p lr=1e-3,3e-4 -p seed=0..4 -- python train.py --lr {lr} --seed {seed}",
    context_settings=options.UNTOUCHED,
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUES",
    help="Values: a,b,c or 0..4 or a JSON list; repeatable.",
)
@click.option("--zip", "zipped", is_flag=True, help="Take values side by side, not all ways.")
@options.add(options.MANY + options.PACKING + options.WISHES + options.SENDING)
@options.WORDS
@options.console
def command(
    console: Console,
    *,
    project: str,
    words: tuple[str, ...],
    parameters: tuple[str, ...],
    zipped: bool,
    **asked: Any,
) -> int:
    """Send off one command many ways.

    In COMMAND {name} stands for a value of the parameter; write {{name}} for the text itself.
    All combinations run, each with its own image digest, as the indexes of one run.
    """
    from sendoff.errors import Misuse
    from sendoff.grid import merge, plan
    from sendoff.preparation import Order
    from sendoff.sending import Manner, send
    from sendoff.session import Session

    if not parameters:
        raise Misuse("nothing varies", "a sweep needs a parameter", "add -p NAME=VALUE,VALUE")
    manner = Manner.taken_from(asked)
    setups = plan(words, merge(parameters), zipped=zipped)
    session = Session.open(Path(project), options.flags(asked))
    return send(session, Order(setups=setups, **manner.naming), manner, console)
