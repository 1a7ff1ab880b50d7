"""Runs side by side: what varied between them, and what came of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from packer.record import Record

Best = Literal["max", "min"]

_EXACT = 1e15
"""Below this a float holds every whole number, with room to spare."""

_FLAG = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?", re.DOTALL)
_OVERRIDE = re.compile(r"\+{0,2}([A-Za-z_][\w./-]*)=(.*)", re.DOTALL)


class Row(Record, frozen=True):
    """One index of a run, as compared."""

    name: str
    """How it is named on the command line: the run's id, with "/INDEX" where it has several."""
    state: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    digest: str = ""


class Comparison(Record, frozen=True):
    """A table: a row for each index, a column for each thing that varied."""

    rows: tuple[Row, ...]
    parameters: tuple[str, ...]
    """Parameters that differ between rows, in the order they were given."""
    metrics: tuple[str, ...]
    same: dict[str, str]
    """Parameters and metrics with one value everywhere, as text."""
    best: str = ""
    """Name of the row that did best; empty where that was not asked for."""


def parameters_of(command: Sequence[str]) -> dict[str, str]:
    """What a command's own flags say: `--lr 1e-3`, `--lr=1e-3`, and `optimizer.lr=1e-3` (Hydra).

    A flag without a value is "true".
    """
    found: dict[str, str] = {}
    parts = list(command[1:])
    while parts:
        part = parts.pop(0)
        if flag := _FLAG.fullmatch(part):
            value = flag[2]
            if value is None:
                value = parts.pop(0) if parts and not _FLAG.fullmatch(parts[0]) else "true"
            found[flag[1]] = value
        elif override := _OVERRIDE.fullmatch(part):
            found[override[1]] = override[2]
    return found


def compare(
    rows: Sequence[Row], *, metrics: Sequence[str] = (), sort: str = "", best: Best | None = None
) -> Comparison:
    """Set `rows` side by side; what is the same in all of them is left out of the columns.

    `metrics` chooses and orders the metric columns, which then stay even where they are constant;
    `sort` names a parameter or metric, with "-" before it for descending; `best` judges by the
    first of `metrics`, or by `sort`'s.
    """
    numbers = [{name: show(value) for name, value in row.metrics.items()} for row in rows]
    given = [row.parameters for row in rows]
    varied_numbers, same_numbers = _split(numbers)
    varied, same = _split(given)
    if metrics:
        varied_numbers, same_numbers = tuple(metrics), {}
    return Comparison(
        rows=tuple(_sorted(rows, sort)),
        parameters=varied,
        metrics=varied_numbers,
        same=same | same_numbers,
        best=_best(rows, metrics[0] if metrics else sort.removeprefix("-"), best),
    )


def _split(tables: Sequence[Mapping[str, str]]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names that vary, and name and value of those that don't. One table alone all varies."""
    names = dict.fromkeys(name for table in tables for name in table)
    same = {
        name: tables[0][name]
        for name in names
        if len(tables) > 1 and len({table.get(name) for table in tables}) == 1
    }
    return tuple(name for name in names if name not in same), same


def _sorted(rows: Sequence[Row], sort: str) -> list[Row]:
    name = sort.removeprefix("-")
    if not name:
        return list(rows)
    with_value = [row for row in rows if value_of(row, name) is not None]
    without = [row for row in rows if value_of(row, name) is None]
    return [
        *sorted(with_value, key=lambda row: _order(row, name), reverse=sort[0] == "-"),
        *without,
    ]


def _order(row: Row, name: str) -> tuple[bool, float, str]:
    """Numbers in their order, then texts in theirs."""
    text = value_of(row, name) or ""
    number = row.metrics[name] if name in row.metrics else number_of(text)
    return (number is None, 0.0 if number is None else number, text)


def _best(rows: Sequence[Row], metric: str, best: Best | None) -> str:
    candidates = [row for row in rows if not math.isnan(row.metrics.get(metric, math.nan))]
    if best is None or not candidates:
        return ""
    choose = max if best == "max" else min
    return choose(candidates, key=lambda row: row.metrics[metric]).name


def value_of(row: Row, name: str) -> str | None:
    """A metric or parameter of a row as text; None where it has none."""
    if name in row.metrics:
        return show(row.metrics[name])
    return row.parameters.get(name)


def number_of(text: str) -> float | None:
    """The finite number a parameter's text stands for, if any."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def show(value: float) -> str:
    """A metric as text: at most six significant digits, whole numbers as such."""
    if float(value).is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return f"{value:.6g}"


def table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Header and cells as text; a missing value is "-", the best row's name ends in " *"."""
    several = len({row.state for row in comparison.rows}) > 1
    header = ["run", *comparison.parameters, *comparison.metrics, *(["state"] if several else [])]
    cells = []
    for row in comparison.rows:
        name = f"{row.name} *" if row.name == comparison.best else row.name
        parameters = [row.parameters.get(column, "-") for column in comparison.parameters]
        metrics = [
            show(row.metrics[column]) if column in row.metrics else "-"
            for column in comparison.metrics
        ]
        cells.append([name, *parameters, *metrics, *([row.state] if several else [])])
    return header, cells


def as_csv(comparison: Comparison) -> str:
    """The comparison as CSV (RFC 4180), metrics in full precision, with what is the same."""
    parameters = [*comparison.parameters, *_same_of(comparison, "parameters")]
    metrics = [*comparison.metrics, *_same_of(comparison, "metrics")]
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["run", "state", *parameters, *metrics, "digest"])
    for row in comparison.rows:
        given = [row.parameters.get(name, "") for name in parameters]
        numbers = [repr(row.metrics[name]) if name in row.metrics else "" for name in metrics]
        writer.writerow([row.name, row.state, *given, *numbers, row.digest])
    return out.getvalue()


def _same_of(comparison: Comparison, kind: Literal["parameters", "metrics"]) -> list[str]:
    return [name for name in comparison.same if name in getattr(comparison.rows[0], kind)]
