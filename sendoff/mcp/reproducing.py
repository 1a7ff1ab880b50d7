"""The tool that runs a digest again: it begins, and, once that run has ended, says what holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from packer.reproduction.difference import Difference
from sendoff import shelves
from sendoff.errors import Misuse
from sendoff.handle import Run
from sendoff.mcp import answers, bounds, questions
from sendoff.mcp.answers import Step
from sendoff.mcp.desk import Desk
from sendoff.reproduction import original as originals
from sendoff.reproduction.asking import Asking
from sendoff.reproduction.errors import sentence
from sendoff.reproduction.original import Original
from sendoff.reproduction.repetition import settings_of, start
from sendoff.reproduction.report import Report
from sendoff.session import Session

REBUILDING = 40.0
"""Seconds of packing again for which a call waits."""


def reproduce(desk: Desk, question: questions.Reproduce) -> answers.Reproduced:
    """Begin a reproduction; or, with its run, tell what it has shown."""
    asked = {"gpu": question.gpu, "target": question.target, "timeout": question.timeout}
    wishes = {name: value for name, value in asked.items() if value is not None}
    session, name = shelves.opened(question.reference, desk.project, wishes)
    asking = Asking(question.reference, question.level, question.rtol)
    shelf = shelves.reading(session)
    found = originals.find(name, session, shelf, but=question.run)
    if asking.level == "L1":
        rebuild = partial(asking.rebuilt, found, session, shelf)
        report = desk.under_way.result(question, rebuild, REBUILDING)
        return _told(question, report) if report else _begun(question, found, "", asking)
    if not question.run:
        return _begun(question, found, _sent(found, session, wishes).id, asking)
    run = desk.select((question.run,))[0].run
    if not run.status.final:
        return _begun(question, found, run.id, asking)
    run.attach()
    return _told(question, asking.report(found, run))


def _sent(found: Sequence[Original], session: Session, wishes: Mapping[str, object]) -> Run:
    given = settings_of(session, wishes)
    if not (given.get("timeout") or found[0].request.timeout):
        raise Misuse(
            "a run needs a time-out, and the one before had none",
            "nobody may be there to end one that hangs",
            'say how long it may take: "timeout": "30m"',
        )
    return start(found, session, given)


def _begun(
    question: questions.Reproduce, found: Sequence[Original], run: str, asking: Asking
) -> answers.Reproduced:
    """What goes on: a run, or, without one, packing."""
    given = {name: getattr(question, name) for name in question.__struct_fields__}
    again = {name: value for name, value in (given | {"run": run}).items() if value}
    then = Step(tool="reproduce", arguments=again, why="then, to see what it has shown")
    wait = Step(tool="wait", arguments={"runs": [run]}, why="until it has ended")
    return answers.Reproduced(
        reference=question.reference,
        digest=str(found[0].image.digest),
        run=run,
        ended=False,
        earlier=found[0].run if len(found) == 1 else found[0].run.partition("/")[0],
        asked=asking.level,
        holds=None,
        level="",
        next=(wait, then) if run else (replace(then, why="it is still being packed"),),
    )


def _told(question: questions.Reproduce, report: Report) -> answers.Reproduced:
    return answers.Reproduced.of(
        report,
        reference=question.reference,
        digest=str(report.digest),
        ended=True,
        levels=tuple(
            answers.LevelHolds.of(each, why=bounds.clip(each.why, bounds.EVIDENCE))
            for each in report.levels
        ),
        difference=_difference(report.difference),
        indexes=_some(report.indexes),
        index_count=len(report.indexes),
        cause=_difference(report.cause),
        next=tuple(
            Step(tool="run", arguments={"run": name}, why=why)
            for name, why in ((report.run, "all about it"), (report.earlier, "the one before"))
            if name
        ),
    )


def _some(reports: Sequence[Report]) -> tuple[answers.IndexReproduced, ...]:
    """Of several indexes those that matter most, in their order."""
    first = sorted(reports, key=lambda each: each.holds)[: bounds.DETAILS]
    return tuple(
        answers.IndexReproduced.of(each, difference=_difference(each.difference, bounds.WORDS))
        for each in first
    )


def _difference(found: Difference | None, most: int = bounds.EVIDENCE) -> str:
    return bounds.clip(sentence(found), most) if found else ""
