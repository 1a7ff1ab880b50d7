"""What a pack took in, what it left out, and why, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from packer.environment.environment_report import Arrival, EnvironmentReport, Retargeted
from packer.packed import Packed
from sendoff.quantities import show_duration, show_size
from sendoff.terminal.console import align

if TYPE_CHECKING:
    from packer.building.plan import Task
    from packer.explain import Explanation, Forecast, SourceTree


def headline(packed: Packed, took: float) -> str:
    """One line of narration."""
    what = packed.images[0] if len(packed.images) == 1 else f"{len(packed.images)} images"
    count = len(packed.lock.wheels) + len(packed.lock.files)
    return (
        f"packed {_plural(packed.project.files, 'file')} of {show_size(packed.project.size)} and "
        f"{_plural(count, 'distribution')} in {show_duration(took)}: {what}"
    )


def lines(found: Explanation) -> Iterator[str]:
    """The explanation for people."""
    for tree in found.trees:
        yield from _tree(tree)
    count = sum(one.how != "left out" for one in found.distributions)
    yield f"environment: Python {found.python}, {found.platform}, {_plural(count, 'distribution')}"
    yield f"  image {found.environment}"
    report = EnvironmentReport(
        arrivals=found.distributions, warnings=found.warnings, retargeted=found.retargeted
    )
    yield from environment(report)
    yield ""
    yield from builders(found.tasks)
    yield ""
    yield f"image: {_plural(len(found.layers), 'layer')}, {show_size(found.size)}"


def forecast(found: Forecast) -> Iterator[str]:
    """What would be packed, for people."""
    yield f"environment: Python {found.python}, {found.platform}"
    report = EnvironmentReport(
        arrivals=found.arrivals, warnings=found.warnings, retargeted=found.retargeted
    )
    yield from environment(report)
    yield ""
    yield from builders(found.tasks)


def builders(tasks: Iterable[Task]) -> Iterator[str]:
    """Who does what."""
    yield "builders:"
    yield from _rows([one.builder, one.takes, "→", one.makes] for one in tasks)


def environment(report: EnvironmentReport) -> Iterator[str]:
    """What becomes of each distribution."""
    if report.retargeted:
        yield "  " + retargeted(report, report.retargeted)
    yield from _rows(_arrival(one, report) for one in report.arrivals)
    yield from (f"  warning: {warning}" for warning in report.warnings)


def retargeted(report: EnvironmentReport, change: Retargeted) -> str:
    """One line: from what, to what, and how much of it."""
    groups = []
    for word in ("kept", "changed", "added", "dropped", "no wheel"):
        some = [one for one in report.arrivals if one.change == word]
        size = sum(one.size for one in some)
        if some:
            groups.append(f"{len(some)} {word}" + (f" ({show_size(size)})" if size else ""))
    line = f" with CUDA {change.cuda}" if change.cuda else " without CUDA"
    return f"from {change.source} to {change.target}{line}: {', '.join(groups)}"


def _arrival(one: Arrival, report: EnvironmentReport) -> list[str]:
    version = f"{one.was} → {one.version}" if one.was not in ("", one.version) else one.version
    size = show_size(one.size) if one.size else "-"
    change = [one.change] if report.retargeted else []
    return [one.name, version, *change, one.how, size, one.why]


def _tree(tree: SourceTree) -> Iterator[str]:
    name = f"editable {tree.name}" if tree.name else "project"
    yield f"{name}: {_plural(tree.files, 'file')}, {show_size(tree.size)}"
    yield f"  snapshot {tree.digest}"
    yield "  largest:"
    yield from _rows(([file.path, show_size(file.size)] for file in tree.largest), indent=4)
    if tree.left_out:
        yield "  left out:"
        yield from _rows(([one.path, one.reason] for one in tree.left_out), indent=4)
    yield ""


def _rows(rows: Iterator[list[str]], indent: int = 2) -> list[str]:
    cells = list(rows)
    return [" " * indent + line for line in align([""] * len(cells[0]), cells)[1:]] if cells else []


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
