"""`sendoff pack`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.console import Console


@click.command(
    "pack", cls=Command, example="sendoff pack --explain", context_settings=options.UNTOUCHED
)
@click.option(
    "--explain", "explained", is_flag=True, help="Tell what went in, what stayed out, and why."
)
@options.add(options.PACKING)
@options.WORDS
@options.console
def command(
    console: Console, *, project: str, explained: bool, words: tuple[str, ...], **asked: Any
) -> int:
    """Pack the sandbox and print its digest.

    With COMMAND the image runs it; the digest is then that of `sendoff run -- COMMAND`.
    """
    import time

    from packer.explain import explain
    from sendoff import explanation
    from sendoff.grid import SetUp
    from sendoff.narration import Narrator
    from sendoff.preparation import Order, pack_order
    from sendoff.session import Session

    session = Session.open(Path(project), options.flags(asked))
    order = Order(setups=(SetUp(parameters={}, command=words),))
    started = time.monotonic()
    narrator = Narrator(console)
    try:
        packed = pack_order(session, order, narrator)
    finally:
        narrator.clear()
    if console.machine:
        console.document(explain(packed))
        return 0
    console.say(explanation.headline(packed, time.monotonic() - started), "faint")
    console.result(packed.images[0])
    if explained:
        for line in explanation.lines(explain(packed)):
            console.result(line)
    return 0
