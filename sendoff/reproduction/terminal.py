"""What `sendoff reproduce` does and tells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sendoff import shelves
from sendoff.handle import Run
from sendoff.preparation import quoted
from sendoff.quantities import show_duration
from sendoff.reproduction import original as originals
from sendoff.reproduction.errors import sentence
from sendoff.reproduction.original import Original
from sendoff.reproduction.report import LEVELS, LevelName, Report, document
from sendoff.reproduction.reproduce import Asking, settings_of, start
from sendoff.terminal import failure
from sendoff.terminal.console import Console, visible
from sendoff.terminal.following import DETACHED, write
from sendoff.terminal.narration import Narrator


class Wish(NamedTuple):
    """A command line of `sendoff reproduce`."""

    name: str
    level: LevelName | None
    rtol: float | None
    detach: bool
    project: Path
    flags: dict[str, Any]


def run(wish: Wish, console: Console) -> int:
    """Reproduce, print the report, and return the exit code.

    Raises:
        SendoffError: as `sendoff.reproduction.reproduce.reproduce`.
    """
    began = time.monotonic()
    asking = Asking(wish.name, wish.level, wish.rtol)
    session, name = shelves.opened(wish.name, wish.project, wish.flags)
    shelf = shelves.reading(session)
    original = originals.find(name, session, shelf)
    _introduce(original, console)
    if asking.level == "L1":
        narrator = Narrator(console)
        try:
            report = asking.rebuilt(original, session, shelf, narrator, began=began)
        finally:
            narrator.clear()
        return _tell(report, console)
    made = start(original, session, settings_of(session, wish.flags))
    console.say(f"run {made.id}", "bold")
    if wish.detach:
        console.say(f"to see it: sendoff logs -f {made.id}", "faint")
        console.result(made.id)
        return 0
    try:
        _follow(made, console)
    except KeyboardInterrupt:
        console.say(f"\n{made.id} goes on; nothing was compared", "yellow")
        return DETACHED
    if made.untold:
        console.say(f"warning: {made.untold}", "yellow")
    return _tell(asking.report(original, made, began=began), console)


def _introduce(original: Original, console: Console) -> None:
    image = original.image
    console.say(f"{image.digest} runs {visible(quoted(image.command))}", "faint")
    if original.run:
        console.say(f"compared with run {original.run} of {original.created}", "faint")


def _follow(made: Run, console: Console) -> None:
    from sendoff.terminal.waiting import Waiting

    for event in made[0].events(seen=Waiting(console).index):
        if not console.quiet:
            write(event.text, to_stderr=True)
    made.wait()


def _tell(report: Report, console: Console) -> int:
    wrong = report.failure()
    if console.machine:
        console.document(document(report))
    else:
        for line in lines(report):
            console.result(line)
    if wrong is None:
        return 0
    for line in failure.lines(wrong):
        console.say(line)
    return wrong.exit_code


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    yield f"digest       {report.digest}"
    yield f"command      {visible(quoted(report.command))}"
    for label, run, when in (
        ("earlier run", report.earlier, "was"),
        ("this run", report.run, "now"),
    ):
        if run:
            machine = report.hardware.get(when, "")
            yield f"{label:<12} {run}" + (f"  on {machine}" if machine else "")
    for level in report.levels:
        holds = {True: "holds", False: "FAILS", None: "not looked at"}[level.holds]
        asked = "*" if level.name == report.asked else " "
        yield f"{level.name}{asked} {LEVELS[level.name]:<12} {holds:<14} {level.why}"
    for each in report.metrics:
        if not each.within or not each.counts:
            note = "" if each.counts else "  (tells how fast it went: not judged)"
            yield f"metric       {each.name}: was {each.was}, is {each.now}{note}"
    if report.cause:
        yield f"cause        {sentence(report.cause)}"
    yield f"took         {show_duration(report.seconds)}"
