"""`sendoff ps`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.console import Console

if TYPE_CHECKING:
    from sendoff.handle import Run

SHOWN = 20
_COMMAND_WIDTH = 48


@click.command("ps", cls=Command, example="sendoff ps --state running")
@click.option("-a", "--all", "everything", is_flag=True, help=f"All, not the newest {SHOWN}.")
@click.option("-g", "--group", default="", metavar="NAME", help="Those of one group.")
@click.option("--state", default="", metavar="STATE", help="Those in one state.")
@options.console
def command(console: Console, *, everything: bool, group: str, state: str) -> int:
    """List runs, the newest first."""
    from pathlib import Path

    from sendoff.handle import Run
    from sendoff.session import Session

    session = Session.open(Path())
    records = [run for run in session.runs() if not group or run.request.group == group]
    if state:
        records = [record for record in records if Run(record, session).state == state]
    shown = [Run(record, session) for record in (records if everything else records[:SHOWN])]
    if console.machine:
        from sendoff.summary import of_run

        console.document([of_run(run) for run in shown])
        return 0
    if not shown:
        console.say("no runs" + (" like that" if group or state else " yet"))
        return 0
    header = ["run", "state", "done", "created", "command"]
    console.table(header, [_row(run, wide=console.wide) for run in shown])
    if len(shown) < len(records):
        console.say(f"{len(records) - len(shown)} older ones: sendoff ps --all", "faint")
    return 0


def _row(run: Run, *, wide: bool) -> list[str]:
    from sendoff.shipping import quoted

    states = [index.state for index in run.status.indexes]
    words = quoted(run[0].command)
    if not wide and len(words) > _COMMAND_WIDTH:
        words = words[: _COMMAND_WIDTH - 1] + "…"
    done = f"{states.count('succeeded')}/{len(states)}"
    return [run.id, run.state, done, run.record.created, words]
