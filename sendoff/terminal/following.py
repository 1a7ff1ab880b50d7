"""Stay with a run until it ends, or until the user goes: the run goes on without us."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from dispatcher.dispatch import Begun
from dispatcher.run import Run as RunRecord
from sendoff import outcome
from sendoff.handle import Index, Run
from sendoff.quantities import show_duration
from sendoff.session import Session
from sendoff.terminal.console import Console, is_terminal, writing
from sendoff.terminal.failure import labelled
from sendoff.terminal.waiting import Waiting

T = TypeVar("T")
DETACHED = 130
"""The exit code of whoever stopped looking at what goes on."""
_SAID = {"EXIT_NONZERO", "SIGNAL"}
"""Failures whose message the sentence before has said."""
SECOND_CHANCE = 2.0
"""Seconds after Ctrl-C in which a second one cancels the run."""


class Start:
    """The start of a run, which Ctrl-C does not leave half done.

    Once the run's record is written, a first Ctrl-C lets the start come to its end, and a second
    one cancels the run. Before that, Ctrl-C is what it always is.
    """

    def __init__(self, session: Session, console: Console) -> None:
        self._session, self._console = session, console
        self._begun: Run | None = None
        self._usual = signal.getsignal(signal.SIGINT)
        self.left = False
        """Whether Ctrl-C was pressed meanwhile."""

    def of(self, send: Callable[[Begun], T]) -> T:
        """What `send` makes of the run that it starts.

        Raises:
            KeyboardInterrupt: nothing was started, or what was is cancelled.
        """
        try:
            return send(self._hold)
        except KeyboardInterrupt:
            if self._begun:
                _cancel(self._begun, self._console)
                self._say_what_may_come(self._begun)
            raise
        finally:
            if signal.getsignal(signal.SIGINT) == self._leave:
                signal.signal(signal.SIGINT, self._usual)

    def _say_what_may_come(self, run: Run) -> None:
        """A cluster may do what it was asked for when nobody waits for its answer any longer."""
        if run.record.request.target == "kubernetes":
            words = "its start was cut off: should the cluster make its Job yet, this ends it"
            self._console.say(f"{words}: sendoff cancel {run.id}", "yellow")

    def _hold(self, record: RunRecord) -> None:
        self._begun = Run(record, self._session)
        # Where it is ignored, as in the background of a script, it stays so.
        if self._usual is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._leave)

    def _leave(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._usual)
        self.left = True
        if self._begun:
            self._console.say(f"\n{self._begun.id} is being started", "yellow")
            self._console.say("Ctrl-C again cancels it", "faint")


def follow(run: Run, console: Console) -> int:
    """Show what `run` prints, or for several indexes how each ends; return the exit code.

    Ctrl-C leaves the run to itself, a second one within `SECOND_CHANCE` cancels it.
    """
    try:
        if len(run) == 1:
            _stream(run[0], console)
        else:
            watch(run, console)
        run.wait()
    except KeyboardInterrupt:
        return detach(run, console)
    except BrokenPipeError:
        _say_goes_on(run, console)
        raise
    return _finish(run, console)


def _stream(index: Index, console: Console) -> None:
    """The command's output as it comes; with JSON asked for, all of it on standard error."""
    text = "\n"
    for event in index.events(seen=Waiting(console).index):
        text = event.text
        write(text, to_stderr=console.machine or event.stream == "stderr")
    if not text.endswith("\n") and is_terminal(sys.stderr):
        write("\n", to_stderr=True)


def leave(names: Sequence[str], console: Console) -> int:
    """Ctrl-C in what only looked: say that runs go on; return the exit code."""
    console.say(
        "\nwhat has not ended goes on; to end it: sendoff cancel " + " ".join(names), "yellow"
    )
    return DETACHED


def write(text: str, *, to_stderr: bool) -> None:
    """The command's own bytes, untouched, on one of our streams."""
    stream = sys.stderr if to_stderr else sys.stdout
    with writing(stream):
        stream.flush()
        stream.buffer.write(text.encode(errors="surrogateescape"))
        stream.buffer.flush()


def watch(run: Run, console: Console) -> None:
    """A line for each of several indexes, as they end."""
    for index in run.as_ended(seen=Waiting(console).run):
        given = " ".join(f"{name}={value}" for name, value in index.parameters.items())
        words = outcome.sentence(index.status)
        console.say(f"{index.name}  {given}  {words}".rstrip(), outcome.COLOURS[index.state])
        _explain(index, console)


def _explain(index: Index, console: Console) -> None:
    status = index.status
    if failure := status.failure:
        why = "" if failure.code in _SAID else failure.message
        for line in labelled(why, "\n".join(failure.evidence), failure.fix):
            console.say(line)
    for warning in status.manifest.warnings if status.manifest else ():
        console.say(f"warning: {warning}", "yellow")


def detach(run: Run, console: Console) -> int:
    """Ctrl-C: say that the run goes on, and let another one cancel it; return the exit code."""
    try:
        _say_goes_on(run, console)
        console.say("Ctrl-C again cancels it", "faint")
        time.sleep(SECOND_CHANCE)
    except KeyboardInterrupt:
        _cancel(run, console)
    if console.machine:
        _document(run, console)
    return DETACHED


def _cancel(run: Run, console: Console) -> None:
    run.cancel()
    console.say(f"cancelled {run.id}", "yellow")


def _say_goes_on(run: Run, console: Console) -> None:
    again = "logs -f" if len(run) == 1 else "wait"
    console.say(f"\n{run.id} goes on; to come back: sendoff {again} {run.id}", "yellow")


def _finish(run: Run, console: Console) -> int:
    if len(run) == 1:
        index = run[0]
        words = outcome.sentence(index.status)
        console.say(f"{run.id} {words}", outcome.COLOURS[index.state])
        _explain(index, console)
    _hint(run, console)
    if run.untold:
        console.say(f"warning: {run.untold}", "yellow")
    if console.machine:
        _document(run, console)
    elif len(run) > 1:
        console.table(*_table(run, console))
    if len(run) == 1:
        return outcome.exit_code(run[0].status)
    return outcome.of_all([index.state for index in run])


def _table(run: Run, console: Console) -> tuple[list[str], list[list[str]]]:
    """A row for each index: what varied, what became of it, and its digest."""
    varied = list(run[0].parameters)
    rows = []
    for index in run:
        status = index.status
        took = show_duration(status.manifest.usage.wall) if status.manifest else "-"
        digest = index.digest if console.wide else index.digest.short
        given = [index.parameters[name] for name in varied]
        rows.append([index.name, *given, status.state, took, digest])
    return ["run", *varied, "state", "time", "digest"], rows


def _hint(run: Run, console: Console) -> None:
    files = sum(len(index.files) for index in run)
    if files:
        console.say(f"{files} result file{'s' * (files > 1)}: sendoff get {run.id}", "faint")


def _document(run: Run, console: Console) -> None:
    from sendoff.terminal.summary import of_run

    console.document(of_run(run))
