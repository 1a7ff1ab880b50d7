"""`sendoff doctor`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Colour, Console, paint, visible


@click.command("doctor", cls=Command, example="sendoff doctor --target kubernetes")
@options.TARGET
@options.NAMESPACE
@options.QUEUE
@options.add(options.PACKING)
@options.console
def command(console: Console, *, project: str, **asked: Any) -> int:
    """Check that everything a run needs is there.

    A line for each thing says whether it is ok, poor (runs work, with less comfort) or a problem,
    and what to do then. Exits with 1 if there is a problem.
    """
    from msgspec.structs import asdict

    from sendoff.checks.checkup import checkup
    from sendoff.session import Session

    session = Session.open(Path(project), options.flags(asked))
    made = []
    for check in checkup(session):
        made.append(check)
        if not console.machine:
            colours: dict[str, Colour] = {"ok": "green", "poor": "yellow", "problem": "red"}
            words = ": ".join(filter(None, (check.what, check.said)))
            if check.fix:
                words += f"; do: {check.fix}"
            state = paint(f"{check.state:<7}", colours[check.state], sys.stdout)
            console.result(f"{state}  {check.area:<8}  {visible(words)}")
    bad = sum(check.state == "problem" for check in made)
    if console.machine:
        console.document(
            {"target": session.settings.target, "ok": not bad, "checks": list(map(asdict, made))}
        )
    elif bad:
        console.say(f"{bad} problem{'s' * (bad > 1)}", "red")
    return 1 if bad else 0
