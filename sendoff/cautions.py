"""What packing warned of, as a run's record keeps it: for whoever reads no standard error."""

from __future__ import annotations

from packer.environment.environment_report import EnvironmentReport

MOST = 20
"""Warnings that a record keeps: it is read whenever runs are listed."""


def of(report: EnvironmentReport) -> tuple[str, ...]:
    """That the environment is another than the sandbox's, where it is, and its warnings."""
    found = [*_retargeted(report), *report.warnings]
    left = len(found) - MOST
    more = [f"and {left:,} more, see sendoff pack --explain"] if left > 0 else []
    return (*found[:MOST], *more)


def _retargeted(report: EnvironmentReport) -> list[str]:
    if report.retargeted is None or all(one.change == "kept" for one in report.arrivals):
        return []
    from sendoff.terminal import explanation

    changed = [f"{one.name} {one.was} → {one.version}" for one in report.arrivals if one.was]
    line = explanation.retargeted(report, report.retargeted)
    return [f"the environment was retargeted {'; '.join([line, *changed])}"]
