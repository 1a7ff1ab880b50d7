"""Runs and their indexes, in the words of answers."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from msgspec.structs import replace

from dispatcher.comparison import Row
from dispatcher.errors import RecordUnreadable
from dispatcher.run import UNPACKED, Failure
from dispatcher.run import Run as RunRecord
from dispatcher.status import IndexStatus
from sendoff import outcome
from sendoff.errors import Misuse
from sendoff.handle import Index, Run
from sendoff.mcp import answers, arguments, bounds
from sendoff.mcp.answers import Step
from sendoff.selection import Selection

_PASSING = frozenset({"QUEUED", "STARTING", "PACKING"})


def row(run: Run) -> answers.Row:
    """One line of a list."""
    request, status = run.record.request, run.status
    troubles = (each.failure or each.waiting for each in status.indexes)
    return answers.Row.of(
        run.record,
        request,
        request.resources,
        status,
        command=bounds.clip(shlex.join(request.inputs[0].command)),
        indexes=len(request.inputs),
        succeeded=sum(each.state == "succeeded" for each in status.indexes),
        code=next((trouble.code for trouble in troubles if trouble), ""),
    )


def detail(index: Index) -> answers.Detail:
    """All about one index."""
    status = index.status
    manifest = status.manifest
    metrics = index.metrics
    return answers.Detail.of(
        status,
        index,
        exit_code=index.exit_code,
        command=bounds.clip(shlex.join(index.command), bounds.EVIDENCE),
        parameters=bounds.clipped(index.parameters),
        digest=digest(index.digest),
        seconds=manifest.usage.wall if manifest else None,
        failure=_bounded(status.failure),
        waiting=_bounded(status.waiting),
        warnings=bounds.some(manifest.warnings, bounds.TROUBLED) if manifest else (),
        metrics=dict(islice(metrics.items(), bounds.METRICS)),
        metrics_in_all=len(metrics),
        files=bounds.some((file.path for file in index.files), bounds.ROWS),
        files_in_all=len(index.files),
        hardware=manifest.hardware if manifest else {},
    )


def brief(index: Index) -> answers.Index:
    """One index in short."""
    status = index.status
    return answers.Index.of(
        status,
        index,
        exit_code=index.exit_code,
        seconds=status.manifest.usage.wall if status.manifest else None,
        parameters=bounds.clipped(index.parameters),
        failure=_bounded(status.failure),
        waiting=_bounded(status.waiting),
    )


def going(chosen: Selection) -> answers.Going:
    """How what was chosen of a run is going."""
    statuses = [index.status for index in chosen.indexes]
    troubled = (index for index in chosen.indexes if _in_trouble(index.status))
    return answers.Going(
        run=chosen.name,
        state=chosen.state,
        ended=all(status.final for status in statuses),
        reused=chosen.run.reused,
        counts=dict(Counter(status.state for status in statuses)),
        said=sentence(statuses),
        warnings=warnings(chosen.run.record),
        troubled=tuple(map(brief, islice(troubled, bounds.TROUBLED))),
    )


def sentence(statuses: Sequence[IndexStatus]) -> str:
    """What goes on: of one index what becomes of it, of several how many are how."""
    if len(statuses) == 1:
        return bounds.clip(outcome.sentence(statuses[0]), bounds.EVIDENCE)
    counts = Counter(status.state for status in statuses)
    parts = [f"{counts[state]} {state}" for state in counts]
    waiting = Counter(each.waiting.message for each in statuses if each.waiting)
    for message, count in waiting.most_common(1):
        parts.append(f"{count} wait: {message}")
    return bounds.clip(f"of {len(statuses)}: {', '.join(parts)}", bounds.EVIDENCE)


def compared(row: Row, metrics: Sequence[str]) -> answers.Compared:
    """One row of a comparison."""
    return answers.Compared.of(
        row,
        run=row.name,
        parameters=bounds.clipped(row.parameters),
        metrics={name: row.metrics[name] for name in metrics if name in row.metrics},
        digest=digest(row.digest),
    )


def after(chosen: Selection) -> tuple[Step, ...]:
    """What can be called next, by how what was chosen of a run is."""
    if all(index.status.final for index in chosen.indexes):
        return _after_end(chosen)
    return (
        Step(tool="wait", arguments={"runs": [chosen.name]}, why="until it has ended"),
        Step(tool="cancel", arguments={"runs": [chosen.name]}, why="to stop it"),
    )


def _after_end(chosen: Selection) -> tuple[Step, ...]:
    failed = [index for index in chosen.indexes if index.state != "succeeded"]
    if failed and any(index.status.manifest for index in chosen.indexes):
        return (
            Step(
                tool="logs",
                arguments={"run": failed[0].name},
                why="what it printed before it ended",
            ),
        )
    if failed:
        return (Step(tool="check", why="whether everything that a run needs is there"),)
    return (
        Step(tool="results", arguments={"run": chosen.name}, why="the files it wrote"),
        Step(tool="compare", arguments={"runs": [chosen.name]}, why="what it measured"),
    )


def only(chosen: Selection) -> Index:
    """The one index that is meant.

    Raises:
        Misuse: the run has several, and none was named.
    """
    if len(chosen.indexes) > 1:
        raise Misuse(
            f"run {chosen.run.id} has {len(chosen.indexes)} indexes",
            "this is asked of one of them",
            f"name it: {chosen.run.id}/0",
        )
    return chosen.indexes[0]


def _in_trouble(status: IndexStatus) -> bool:
    if status.final:
        return status.state != "succeeded"
    return status.waiting is not None and status.waiting.code not in _PASSING


def _bounded(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    return replace(
        failure,
        message=bounds.clip(failure.message, bounds.EVIDENCE),
        evidence=bounds.last_lines(failure.evidence, bounds.EVIDENCE),
        fix=arguments.named(failure.fix),
    )


def warnings(record: RunRecord) -> tuple[str, ...]:
    """What packing warned of."""
    return bounds.some(record.warnings, bounds.TROUBLED)


def passed_over(errors: Sequence[RecordUnreadable]) -> tuple[str, ...]:
    """What is not listed because of these; of many, the first few and their number."""
    said = bounds.some((" ".join(str(each).split()) for each in errors), bounds.TROUBLED)
    left = len(errors) - len(said)
    return (*said, f"and {left:,} more like that") if left else said


def digest(known: str) -> str | None:
    """A digest as text; None where nothing is packed yet."""
    return None if known in ("", UNPACKED) else str(known)
