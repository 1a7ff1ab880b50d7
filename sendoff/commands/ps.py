"""`sendoff ps`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from sendoff import options
from sendoff.cli import Command
from sendoff.terminal.console import Console

if TYPE_CHECKING:
    from dispatcher.errors import RecordUnreadable
    from dispatcher.status import RunStatus
    from sendoff.handle import Run

SHOWN = 20
LOOKED_AT = 1_000
"""Of so many of the newest those of a group or in a state are shown."""
_COMMAND_WIDTH = 48


@click.command("ps", cls=Command, example="sendoff ps --state running")
@click.option("-a", "--all", "everything", is_flag=True, help=f"All, not the newest {SHOWN}.")
@click.option("-g", "--group", default="", metavar="NAME", help="Those of one group.")
@click.option("--state", default="", metavar="STATE", help="Those in one state.")
@options.console
def command(console: Console, *, everything: bool, group: str, state: str) -> int:
    """List runs, the newest first."""
    from itertools import islice
    from pathlib import Path

    from sendoff import cost
    from sendoff.handle import Run
    from sendoff.reproduction import late_attaching
    from sendoff.session import Session
    from sendoff.terminal import failure

    _check(state)
    session = Session.open(Path())
    unreadable: list[RecordUnreadable] = []
    records = islice(session.runs().recent(unreadable.append), None if everything else LOOKED_AT)
    runs = (Run(run, session) for run in records if not group or run.request.group == group)
    found = (run for run in cost.frozen(runs, SHOWN) if not state or run.state == state)
    shown = list(islice(found, None if everything else SHOWN))
    late_attaching.of_seen(shown)
    failure.passed_over(unreadable, console)
    if console.machine:
        from sendoff.terminal.summary import of_run

        console.document([of_run(run) for run in shown])
        return 0
    if not shown:
        console.say("no runs" + (" like that" if group or state else " yet"))
        return 0
    header = ["run", "state", "done", "created", "command"]
    console.table(header, [_row(run, wide=console.wide) for run in shown])
    bill = cost.of_runs(shown, session.settings.prices, session.settings.currency)
    for line in cost.sentences(bill):
        console.say(line, "faint")
    if not everything and next(found if state else records, None):
        console.say("older ones: sendoff ps --all", "faint")
    return 0


def _check(state: str) -> None:
    from typing import get_args

    from dispatcher.run import State
    from sendoff.errors import Misuse
    from sendoff.nearest import nearest

    states = get_args(State)
    if state and state not in states:
        near = nearest(state, states)
        raise Misuse(
            f"no run is ever {state!r}",
            f"the states are {', '.join(states)}",
            f"did you mean --state {near}?" if near else "sendoff ps lists all runs",
        )


def _row(run: Run, *, wide: bool) -> list[str]:
    status = run.status
    states = [index.state for index in status.indexes]
    words = shlex.join(run.record.request.inputs[0].command)
    if not wide and len(words) > _COMMAND_WIDTH:
        words = words[: _COMMAND_WIDTH - 1] + "…"
    done = f"{states.count('succeeded')}/{len(states)}"
    return [run.id, _state(status), done, run.record.created, words]


def _state(status: RunStatus) -> str:
    """The state, with the code of what keeps the run from going on."""
    codes = (index.waiting.code for index in status.indexes if index.waiting)
    # That it is queued, the state says already.
    code = next((code for code in codes if code != "QUEUED"), "")
    return f"{status.state} ({code})" if code and not status.final else status.state
