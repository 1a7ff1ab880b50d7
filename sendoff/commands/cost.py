"""`sendoff cost`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console

if TYPE_CHECKING:
    from dispatcher.errors import RecordUnreadable

PAGE = 64
"""Runs whose records are read ahead."""


@click.command("cost", cls=Command, example="sendoff cost --group screening")
@click.option("-g", "--group", default="", metavar="NAME", help="The runs of one group.")
@options.SOME_RUNS
@options.console
def command(console: Console, *, names: tuple[str, ...], group: str) -> int:
    """Add up what runs took of each GPU class.

    Of the runs that are named, of a group, or of all. A GPU is held from the moment at which a
    run has its place until its results are stored. Prices are those of the configuration, for an
    hour of one GPU: [tool.sendoff.prices] h100 = 2.49.
    """
    from pathlib import Path

    from sendoff import cost
    from sendoff.handle import Run
    from sendoff.selection import select
    from sendoff.session import Session
    from sendoff.terminal import failure

    session = Session.open(Path())
    unreadable: list[RecordUnreadable] = []
    if names:
        asked = iter({each.run.id: each.run.record for each in select(names)}.values())
    else:
        asked = session.runs().recent(unreadable.append)
    wanted = (Run(run, session) for run in asked if not group or run.request.group == group)
    runs = list(cost.frozen(wanted, PAGE))
    failure.passed_over(unreadable, console)
    bill = cost.of_runs(runs, session.settings.prices, session.settings.currency)
    if console.machine:
        console.document({"group": group, "runs": len(runs), **cost.document(bill)})
        return 0
    if not runs:
        console.say("no runs" + (" like that" if group or names else " yet"))
        return 0
    console.table(cost.HEADER, cost.rows(bill))
    for line in cost.remarks(bill):
        console.say(line, "faint")
    return 0
