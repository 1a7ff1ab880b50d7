"""What to draw of a comparison: panels with lines or bars. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.comparison import Comparison, Row, number_of
from packer.record import Record

PANELS_LIMIT = 6
"""Panels in one picture; further ones are chosen with `--metric`."""


class Series(Record, frozen=True):
    """One line of a panel; empty label where a panel has just one."""

    label: str
    points: tuple[tuple[float, float], ...]


class Panel(Record, frozen=True):
    """One pair of axes: lines over `axis`, or bars where `axis` is empty."""

    title: str
    axis: str = ""
    series: tuple[Series, ...] = ()
    bars: tuple[tuple[str, float, bool], ...] = ()
    """Label, length, and whether it is the best."""


def plan(comparison: Comparison) -> tuple[Panel, ...]:
    """What to draw, pure.

    Where a parameter is a number in every row it is the x axis. Then metrics whose names differ
    only after the last dot share a panel, or, if other parameters vary too, each metric has a
    panel with a line for each combination of those. Without such a parameter every row has a bar.
    """
    axis = _axis(comparison)
    if not axis:
        return tuple(_bars(comparison, metric) for metric in comparison.metrics)[:PANELS_LIMIT]
    others = tuple(name for name in comparison.parameters if name != axis)
    if others:
        panels = (_by_parameters(comparison, axis, others, name) for name in comparison.metrics)
    else:
        panels = (
            _by_metric(comparison, axis, family, names)
            for family, names in _families(comparison.metrics).items()
        )
    return tuple(panels)[:PANELS_LIMIT]


def _axis(comparison: Comparison) -> str:
    """The parameter with the most values of those that are numbers in every row."""
    numeric = [
        name
        for name in comparison.parameters
        if all(number_of(row.parameters.get(name, "")) is not None for row in comparison.rows)
    ]
    values = {name: len({row.parameters[name] for row in comparison.rows}) for name in numeric}
    chosen = max(numeric, key=lambda name: values[name], default="")
    return chosen if chosen and values[chosen] > 1 else ""


def _families(metrics: Sequence[str]) -> dict[str, list[str]]:
    families: dict[str, list[str]] = {}
    for name in metrics:
        families.setdefault(name.rpartition(".")[0] or name, []).append(name)
    return families


def _points(rows: Sequence[Row], axis: str, metric: str) -> tuple[tuple[float, float], ...]:
    return tuple(
        sorted(
            (float(row.parameters[axis]), row.metrics[metric])
            for row in rows
            if metric in row.metrics
        )
    )


def _by_metric(comparison: Comparison, axis: str, family: str, names: list[str]) -> Panel:
    alone = len(names) == 1
    series = (
        Series(
            label="" if alone else name.rpartition(".")[2],
            points=_points(comparison.rows, axis, name),
        )
        for name in names
    )
    return Panel(title=names[0] if alone else family, axis=axis, series=tuple(series))


def _by_parameters(comparison: Comparison, axis: str, others: Sequence[str], metric: str) -> Panel:
    groups: dict[str, list[Row]] = {}
    for row in comparison.rows:
        label = ", ".join(f"{name}={row.parameters.get(name, '-')}" for name in others)
        groups.setdefault(label, []).append(row)
    series = (
        Series(label=label, points=_points(rows, axis, metric)) for label, rows in groups.items()
    )
    return Panel(title=metric, axis=axis, series=tuple(series))


def _bars(comparison: Comparison, metric: str) -> Panel:
    bars = tuple(
        (_label(row, comparison), row.metrics[metric], row.name == comparison.best)
        for row in comparison.rows
        if metric in row.metrics
    )
    return Panel(title=metric, bars=bars)


def _label(row: Row, comparison: Comparison) -> str:
    given = (
        f"{name}={row.parameters[name]}" for name in comparison.parameters if name in row.parameters
    )
    return ", ".join(given) or row.name
