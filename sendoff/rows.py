"""What `compare` compares: a row for each index of the runs that were named."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.comparison import Row, parameters_of
from sendoff.errors import Misuse
from sendoff.nearest import nearest
from sendoff.selection import Selection


def rows_of(chosen: Sequence[Selection]) -> tuple[Row, ...]:
    """A row for each index, with its parameters and the metrics it has reported."""
    return tuple(
        Row(
            name=index.name,
            state=index.state,
            parameters=index.parameters or parameters_of(index.command),
            metrics=index.metrics,
            digest=index.digest,
        )
        for selection in chosen
        for index in selection.indexes
    )


def checked(rows: Sequence[Row], metrics: Sequence[str], sort: str, best: str | None) -> None:
    """Refuse names that no row has.

    Raises:
        Misuse: with the nearest name there is.
    """
    measured = list(dict.fromkeys(name for row in rows for name in row.metrics))
    given = list(dict.fromkeys(name for row in rows for name in row.parameters))
    for name in metrics:
        _check("metric", name, measured)
    if sort:
        _check("metric or parameter", sort.removeprefix("-"), [*measured, *given])
    if best and not metrics and sort.removeprefix("-") not in measured:
        raise Misuse(
            "--best needs a metric",
            f"there are: {', '.join(measured) or 'none'}",
            "say which with --metric NAME",
        )


def _check(kind: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        near = nearest(name, known)
        raise Misuse(
            f"no run has the {kind} {name}",
            f"there are: {', '.join(known) or 'none'}",
            f"did you mean {near}?" if near else "name one that there is, or none, for all of them",
        )
