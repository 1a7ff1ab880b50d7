"""`sendoff pack`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.session import Session
from sendoff.terminal.console import Console


@click.command(
    "pack", cls=Command, example="sendoff pack --explain", context_settings=options.UNTOUCHED
)
@click.option(
    "--explain", "explained", is_flag=True, help="Tell what went in, what stayed out, and why."
)
@click.option(
    "--dry-run", is_flag=True, help="Tell what it would be made of, and by whom; make nothing."
)
@options.add((*options.PACKING, options.GPU))
@options.WORDS
@options.console
def command(
    console: Console,
    *,
    project: str,
    explained: bool,
    dry_run: bool,
    words: tuple[str, ...],
    **asked: Any,
) -> int:
    """Pack the sandbox and print its digest.

    With COMMAND the image runs it; the digest is then that of `sendoff run -- COMMAND`.
    """
    session = Session.open(Path(project), options.flags(asked))
    with _explaining(console, wanted=explained or dry_run):
        if dry_run:
            return _look(session, console)
        return _pack(session, words, console, explained=explained)


def _pack(session: Session, words: tuple[str, ...], console: Console, *, explained: bool) -> int:
    import time

    from packer.explain import explain
    from sendoff.admission import driver_admission
    from sendoff.grid import SetUp
    from sendoff.preparation import Order, pack_order
    from sendoff.terminal import caution, explanation
    from sendoff.terminal.narration import Narrator

    order = Order(setups=(SetUp(parameters={}, command=words),))
    started = time.monotonic()
    narrator = Narrator(console)
    try:
        packed = pack_order(session, order, narrator, driver_admission(session, narrator))
    finally:
        narrator.clear()
    if console.machine:
        console.document(explain(packed))
        return 0
    console.say(explanation.headline(packed, time.monotonic() - started), "faint")
    if not explained:
        caution.say(packed.report, session, console)
    console.result(packed.images[0])
    if explained:
        for line in explanation.lines(explain(packed)):
            console.result(line)
    return 0


def _look(session: Session, console: Console) -> int:
    from packer.explain import forecast
    from sendoff.admission import driver_admission
    from sendoff.preparation import look
    from sendoff.terminal import explanation
    from sendoff.terminal.narration import Narrator

    narrator = Narrator(console)
    try:
        asking = driver_admission(session, narrator)
        found = forecast(look(session, narrator, asking))
    finally:
        narrator.clear()
    if console.machine:
        console.document(found)
        return 0
    for line in explanation.forecast(found):
        console.result(line)
    return 0


@contextmanager
def _explaining(console: Console, *, wanted: bool) -> Iterator[None]:
    """What can't be kept is shown among what can, before it is refused."""
    from packer.wheels.errors import NoWheelForTarget

    try:
        yield
    except NoWheelForTarget as error:
        if wanted and error.report and not console.machine:
            from sendoff.terminal import explanation

            for line in explanation.environment(error.report):
                console.result(line)
        raise
