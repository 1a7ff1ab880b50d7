"""What `sendoff reproduce` does and tells."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sendoff import shelves
from sendoff.handle import Run
from sendoff.quantities import show_duration
from sendoff.reproduction import original as originals
from sendoff.reproduction.asking import Asking
from sendoff.reproduction.errors import sentence
from sendoff.reproduction.original import Original
from sendoff.reproduction.repetition import settings_of, start
from sendoff.reproduction.report import LEVELS, LevelName, Report, document
from sendoff.terminal import failure
from sendoff.terminal.console import Console, visible
from sendoff.terminal.following import DETACHED, Start, watch, write
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
    asking = Asking(wish.name, wish.level, wish.rtol)
    session, name = shelves.opened(wish.name, wish.project, wish.flags)
    shelf = shelves.reading(session)
    found = originals.find(name, session, shelf)
    _introduce(found, console)
    if asking.level == "L1":
        narrator = Narrator(console)
        try:
            report = asking.rebuilt(found, session, shelf, narrator)
        finally:
            narrator.clear()
        return _tell(report, console)
    given, starting = settings_of(session, wish.flags), Start(session, console)
    made = starting.of(lambda begun: start(found, session, given, begun))
    if starting.left:
        return _leave(made, console)
    console.say(f"run {made.id}", "bold")
    if wish.detach:
        console.say(
            f"to see it: sendoff {'logs -f' if len(made) == 1 else 'wait'} {made.id}", "faint"
        )
        console.result(made.id)
        return 0
    try:
        _follow(made, console)
    except KeyboardInterrupt:
        return _leave(made, console)
    if made.untold:
        console.say(f"warning: {made.untold}", "yellow")
    return _tell(asking.report(found, made), console)


def _leave(made: Run, console: Console) -> int:
    console.say(f"\n{made.id} goes on; nothing was compared", "yellow")
    return DETACHED


def _introduce(found: Sequence[Original], console: Console) -> None:
    first, images = found[0], {each.image.digest for each in found}
    if len(images) > 1:
        console.say(f"{len(images)} images, of {len(found)} indexes", "faint")
    else:
        image = first.image
        console.say(f"{image.digest} runs {visible(shlex.join(image.command))}", "faint")
    if first.run:
        earlier = first.run
        if len(found) > 1:
            earlier = f"{_whole(earlier)}, of {len(found)} indexes,"
        console.say(f"compared with run {earlier} of {first.created}", "faint")


def _whole(name: str) -> str:
    return name.partition("/")[0]


def _follow(made: Run, console: Console) -> None:
    from sendoff.terminal.waiting import Waiting

    if len(made) > 1:
        watch(made, console)
    else:
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
        if report.indexes:
            console.result("")
            console.table(*table(report))
    if wrong is None:
        return 0
    for line in failure.lines(wrong):
        console.say(line)
    return wrong.exit_code


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    if not report.indexes:
        yield f"digest       {report.digest}"
        yield f"command      {visible(shlex.join(report.command))}"
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


def table(report: Report) -> tuple[list[str], list[list[str]]]:
    """A row for each of several indexes: which levels hold, and what differs first."""
    rows = []
    for each in report.indexes:
        holds = {level.name: _WORDS[level.holds] for level in each.levels}
        differs = sentence(each.difference) if each.difference else ""
        names = [each.earlier or "-", each.run or "-", each.digest.short]
        rows.append([*names, *(holds[name] for name in LEVELS), visible(differs)])
    return ["earlier run", "this run", "digest", *LEVELS, "first difference"], rows


_WORDS = {True: "holds", False: "FAILS", None: "-"}
