"""The tools that tell of runs, of what they printed and wrote, and of hardware."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from dispatcher import comparison, results
from dispatcher.errors import RecordUnreadable
from dispatcher.logs import LogEvent
from sendoff import hardware, listing
from sendoff.errors import Misuse
from sendoff.handle import Run
from sendoff.mcp import answers, bounds, questions, telling
from sendoff.mcp.answers import Step
from sendoff.mcp.desk import Desk
from sendoff.quantities import show_size
from sendoff.reproduction import late_attaching
from sendoff.rows import checked, rows_of
from sendoff.selection import Selection

Paged = questions.Run | questions.Results | questions.Compare
READABLE = 64 << 20
"""Bytes of a file that is read through a tool; it is verified as a whole."""


def runs(desk: Desk, question: questions.Runs) -> answers.Listed:
    """The newest runs."""
    unreadable: list[RecordUnreadable] = []
    group, state = question.group, question.state or ""
    found = listing.newest(desk.session(), unreadable.append, group=group, state=state)
    wanted: list[Run] = []
    for place, run in enumerate(found):
        if place >= question.start:
            wanted.append(run)
        if len(wanted) > question.limit:
            break
    late_attaching.of_seen(wanted)
    rows = tuple(map(telling.row, wanted[: question.limit]))
    more = len(wanted) > question.limit
    steps = [Step(tool="run", arguments={"run": row.run}, why="all about it") for row in rows[:1]]
    going = [row.run for row in rows if row.state in ("queued", "running")]
    if going:
        steps.append(Step(tool="wait", arguments={"runs": going}, why="until they have ended"))
    if more:
        further = replace(question, start=question.start + question.limit)
        steps.append(_step("runs", further, "older ones"))
    if not rows:
        steps.append(Step(tool="check", why="whether a run could be submitted"))
    passed_over = telling.passed_over(unreadable)
    return answers.Listed(runs=rows, more=more, unreadable=passed_over, next=tuple(steps))


def run(desk: Desk, question: questions.Run) -> answers.Told:
    """All about one run."""
    (chosen,) = desk.select((question.run,))
    record = chosen.run.freeze().record
    late_attaching.of_seen([chosen.run])
    shown = bounds.page(chosen.indexes, question.start, bounds.DETAILS)
    return answers.Told.of(
        record,
        record.request,
        record.request.resources,
        chosen.run,
        run=record.id,
        state=chosen.state,
        environment=telling.digest(record.environment),
        snapshot=telling.digest(record.snapshot),
        warnings=telling.warnings(record),
        indexes=tuple(map(telling.detail, shown)),
        indexes_in_all=len(chosen.indexes),
        next=(
            *_further("run", question, len(shown), len(chosen.indexes)),
            *telling.after(chosen),
        ),
    )


def logs(desk: Desk, question: questions.Logs) -> answers.Log:
    """The end of what one index printed, or a part before it."""
    index = telling.only(desk.select((question.run,))[0])
    wanted = question.lines + question.skip
    # One more than is wanted tells whether there are earlier ones.
    lines = _lines(index.events(follow=False, tail=wanted + 1))
    before = lines[: max(0, len(lines) - question.skip)]
    kept = bounds.last_lines(before[-question.lines :])
    earlier = len(before) > len(kept)
    steps = []
    if earlier:
        arguments = {"run": index.name, "lines": question.lines, "skip": question.skip + len(kept)}
        steps.append(Step(tool="logs", arguments=arguments, why="the lines before these"))
    if not index.status.final:
        steps.append(Step(tool="wait", arguments={"runs": [index.name]}, why="until it has ended"))
    steps.append(Step(tool="run", arguments={"run": index.name}, why="all about it"))
    return answers.Log.of(
        index,
        question,
        run=index.name,
        text="\n".join(kept),
        lines=len(kept),
        earlier=earlier,
        next=tuple(steps),
    )


def _lines(events: Iterable[LogEvent]) -> list[str]:
    r"""Lines as a terminal would leave them: what `\r` overwrote is gone."""
    text = "".join(event.text for event in events)
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.rstrip("\r").rpartition("\r")[2] for line in lines]


def files(desk: Desk, question: questions.Results) -> answers.Files:
    """What a run wrote: its files, one's content, or all of them fetched."""
    (chosen,) = desk.select((question.run,))
    late_attaching.of_seen([chosen.run.freeze()])
    listed = [(index, file) for index in chosen.indexes for file in index.files]
    shown = bounds.page(listed, question.start, bounds.FILES)
    content, steps = _content(chosen, question) if question.read else (None, ())
    fetched: list[tuple[str, Path]] = []
    if question.into:
        fetched = chosen.fetch(desk.project / question.into, question.paths)
    listing = questions.Results(run=question.run, start=question.start)
    steps = (*_further("results", listing, len(shown), len(listed)), *steps)
    return answers.Files.of(
        question,
        chosen,
        files=tuple(
            answers.File.of(file, run=index.name)
            for index, file in (() if content or fetched else shown)
        ),
        files_in_all=len(listed),
        content=content,
        fetched=bounds.some((str(path) for _, path in fetched), bounds.FILES),
        fetched_in_all=len(fetched),
        next=steps or telling.after(chosen),
    )


def _content(
    chosen: Selection, question: questions.Results
) -> tuple[answers.Content, tuple[Step, ...]]:
    """A part of a file, and how to see what comes after it."""
    index = telling.only(chosen)
    size = next((file.size for file in index.files if file.path == question.read), 0)
    if size > READABLE:
        raise Misuse(
            f"{question.read} has {show_size(size)}: too large to read through a tool",
            f"the limit is {show_size(READABLE)}",
            'fetch it: {"into": "out", "paths": ["' + question.read + '"]}',
        )
    data = results.read(chosen.run.id, index.number, question.read, chosen.run.places)
    end = question.offset + bounds.TEXT
    more = end < len(data)
    # A character that the end would cut in two is left to the next part.
    text, length = codecs.utf_8_decode(data[question.offset : end], "replace", not more)
    content = answers.Content(
        path=question.read, text=text, offset=question.offset, size=len(data), more=more
    )
    if not more:
        return content, ()
    after = questions.Results(run=question.run, read=question.read, offset=question.offset + length)
    return content, (_step("results", after, "what comes after it"),)


def compare(desk: Desk, question: questions.Compare) -> answers.Comparison:
    """Runs side by side."""
    rows = rows_of(desk.select(question.runs))
    checked(rows, question.metrics, question.sort, question.best)
    found = comparison.compare(
        rows, metrics=question.metrics, sort=question.sort, best=question.best
    )
    shown = bounds.page(found.rows, question.start, bounds.ROWS)
    metrics = found.metrics[: bounds.METRICS]
    steps = list(_further("compare", question, len(shown), len(found.rows)))
    why = "all about the best" if found.best else "all about it"
    steps.append(Step(tool="run", arguments={"run": found.best or rows[0].name}, why=why))
    return answers.Comparison.of(
        found,
        rows=tuple(telling.compared(row, metrics) for row in shown),
        rows_in_all=len(found.rows),
        parameters=bounds.some(found.parameters, bounds.METRICS),
        metrics=metrics,
        metrics_left_out=bounds.some(found.metrics[bounds.METRICS :], bounds.FILES),
        same=bounds.clipped(found.same),
        next=tuple(steps),
    )


def cancel(desk: Desk, question: questions.Cancel) -> answers.Cancelled:
    """Ask for the end of runs."""
    chosen = desk.select(question.runs)
    for selection in chosen:
        selection.cancel()
    names = [selection.name for selection in chosen]
    return answers.Cancelled(
        runs=tuple(answers.Ended(run=each.name, state=each.state) for each in chosen),
        next=(Step(tool="wait", arguments={"runs": names}, why="until they have ended"),),
    )


def gpus(desk: Desk, question: questions.Gpus) -> answers.Hardware:
    """What there is to run on."""
    wishes = {"target": question.target} if question.target else {}
    found = hardware.look(desk.session(wishes), everything=question.everything)
    return answers.Hardware(
        target=found.target,
        classes=tuple(map(answers.GpuClass.of, found.offers[: bounds.ROWS])),
        machine=found.machine[: bounds.ROWS],
        unknown=found.hidden,
        next=(Step(tool="check", why="whether a run with such a GPU could be submitted"),),
    )


def _further(tool: str, question: Paged, shown: int, count: int) -> tuple[Step, ...]:
    """How to see the rows after these: the same question, from where these end."""
    end = question.start + shown
    if end >= count:
        return ()
    return (_step(tool, replace(question, start=end), f"{count - end} more"),)


def _step(tool: str, question: questions.Question, why: str) -> Step:
    # Which leaves out what has its default.
    return Step(tool=tool, arguments=msgspec.to_builtins(question), why=why)
