"""The tools that begin runs, and the one that says whether they could."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from dispatcher import budget as rules
from dispatcher import budgeting
from dispatcher.request import Request
from dispatcher.run import Run as RunRecord
from sendoff import background
from sendoff.admission import Admission
from sendoff.checks import checkup
from sendoff.checks.check import Check as Looked
from sendoff.checks.check import Checks
from sendoff.errors import Misuse
from sendoff.grid import SetUp, plan
from sendoff.mcp import answers, bounds, questions, telling
from sendoff.mcp.answers import Step
from sendoff.mcp.desk import Desk, asked
from sendoff.mcp.questions import Command
from sendoff.preparation import Order, ordered
from sendoff.session import Session

_NOTHING = ("true",)
_SUBMIT = Step(tool="submit", why="nothing stands against it")
_AGAIN = Step(tool="check", why="again, when what the findings say was done")


def check(desk: Desk, question: questions.Check) -> answers.Checked:
    """Look at everything that such a run needs, and at what its group's budget leaves."""
    session = desk.session(asked(question), question.project)
    command = _words(question.command) or _NOTHING
    order = Order(setups=(SetUp(parameters={}, command=command),) * question.count)
    request = ordered(session, order).request
    made = [*checkup.checkup(session)]
    admission, limits = Checks("admission"), Checks("budget")
    with admission.one(session.settings.target):
        Admission(session, request).wait()
    with limits.one(f"group {request.group}" if request.group else "no group"):
        budgeting.check(request, session.places)
    made += admission.made + limits.made
    good = all(each.state != "problem" for each in made)
    demand = rules.demand(request)
    return answers.Checked.of(
        session.settings,
        ok=good,
        project=str(session.project),
        findings=tuple(map(_finding, made)),
        budget=_budget(session, request),
        asks_gpu_hours=demand.hours if math.isfinite(demand.hours) else None,
        asks_runs=demand.indexes,
        next=(_SUBMIT if good else _AGAIN,),
    )


def submit(desk: Desk, question: questions.Submit) -> answers.Submitted:
    """Give a run its id; its image is packed, and it is sent off, in the background."""
    setup = SetUp(parameters={}, command=_words(question.command))
    return _begun(desk, question, (setup,))


def submit_many(desk: Desk, question: questions.SubmitMany) -> answers.Submitted:
    """The same for several commands, which are the indexes of one run."""
    return _begun(desk, question, _setups(question))


def _setups(question: questions.SubmitMany) -> Sequence[SetUp]:
    command = _words(question.command)
    if bool(command) == bool(question.commands):
        raise Misuse(
            "it takes either `commands`, or `command` with `parameters`",
            "both were given" if command else "neither was given",
            'such as {"command": "python train.py --lr {lr}", "parameters": {"lr": [1e-3]}}',
        )
    if command:
        texts = {name: tuple(map(_text, some)) for name, some in question.parameters.items()}
        return plan(command, texts, zipped=question.zipped)
    return [SetUp(parameters={}, command=_words(each)) for each in question.commands]


def _text(value: str | float | bool) -> str:
    # As JSON has it: a command that reads "true" is more likely than one that reads "True".
    return str(value).lower() if isinstance(value, bool) else str(value)


def _begun(desk: Desk, question: questions.Sending, setups: Sequence[SetUp]) -> answers.Submitted:
    wishes = asked(question)
    session = desk.session(wishes, question.project)
    if not session.settings.timeout:
        raise Misuse(
            "a run needs a time-out",
            "nobody may be there to end one that hangs",
            'say how long it may take: "timeout": "30m"',
        )
    order = Order(
        setups=tuple(setups), name=question.name, idempotency_key=question.idempotency_key
    )
    record = background.begin(session.project, order, wishes)
    if session.settings.reuse:
        found = background.answering(record, session)
        if found.id != record.id:
            return _answered(found)
    return _submitted(record)


def _answered(earlier: RunRecord) -> answers.Submitted:
    name = earlier.id
    return answers.Submitted.of(
        earlier.request,
        run=name,
        state="succeeded",
        indexes=len(earlier.request.inputs),
        reused=True,
        warnings=telling.warnings(earlier),
        next=(
            Step(tool="run", arguments={"run": name}, why="what came of it then"),
            Step(tool="results", arguments={"run": name}, why="the files it wrote"),
            Step(tool="compare", arguments={"runs": [name]}, why="what it measured"),
        ),
    )


def _submitted(record: RunRecord) -> answers.Submitted:
    waiting = Step(
        tool="wait",
        arguments={"runs": [record.id]},
        why="returns when it has ended, or after 45 s with what goes on",
    )
    return answers.Submitted.of(
        record.request,
        run=record.id,
        state="queued",
        indexes=len(record.request.inputs),
        reused=False,
        warnings=telling.warnings(record),
        next=(
            waiting,
            Step(tool="run", arguments={"run": record.id}, why="how it is now"),
            Step(tool="cancel", arguments={"runs": [record.id]}, why="to stop it"),
        ),
    )


def _words(command: Command) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)
    except ValueError as error:
        raise Misuse(
            "can't split the command as a shell would", str(error), "give it as a list"
        ) from None


def _finding(check: Looked) -> answers.Finding:
    return answers.Finding.of(check, said=bounds.clip(check.said, bounds.EVIDENCE))


def _budget(session: Session, request: Request) -> answers.Budget | None:
    limits = session.places.budget
    if not limits:
        return None
    used = budgeting.used(request, session.places)
    hours = max(0.0, limits.gpu_hours - used.spent - used.reserved)
    return answers.Budget(
        group=request.group,
        gpu_hours=limits.gpu_hours or None,
        gpu_hours_spent=used.spent,
        gpu_hours_reserved=used.reserved,
        gpu_hours_left=hours if limits.gpu_hours else None,
        runs=limits.runs or None,
        runs_under_way=used.under_way,
        runs_left=max(0, limits.runs - used.under_way) if limits.runs else None,
    )
