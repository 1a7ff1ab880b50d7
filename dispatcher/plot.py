"""A comparison as a picture in a file. Drawing it needs matplotlib (`sendoff[plot]`)."""

from __future__ import annotations

from pathlib import Path

from dispatcher import plot_plan
from dispatcher.comparison import Comparison
from packer.errors import SendoffError

FORMATS = ("png", "svg")


class PlotUnavailable(SendoffError):
    """matplotlib is not installed where sendoff is."""

    code, phase, exit_code = "PLOT_UNAVAILABLE", "results", 125

    def what(self) -> str:
        return "can't draw a plot"

    def why(self) -> str:
        return "matplotlib is not installed beside sendoff"

    def fix(self) -> str:
        return 'pip install "sendoff[plot]"'


class PlotRefused(SendoffError):
    """There is nothing to draw, or the file's name asks for a format we don't write."""

    code, phase, exit_code = "PLOT_REFUSED", "results", 2

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        super().__init__(path, reason, remedy)
        self.path, self.reason, self.remedy = path, reason, remedy

    def what(self) -> str:
        return f"can't draw {self.path}"

    def why(self) -> str:
        return self.reason

    def fix(self) -> str:
        return self.remedy


def draw(comparison: Comparison, path: Path) -> None:
    """Write the comparison to `path`, as PNG or SVG by its ending.

    Raises:
        PlotUnavailable: matplotlib is not installed.
        PlotRefused: no metric to draw, or another ending.
    """
    ending = path.suffix.lstrip(".").lower()
    if ending not in FORMATS:
        reason = f"it does not end in {' or '.join('.' + name for name in FORMATS)}"
        raise PlotRefused(path, reason, "name it .png or .svg")
    if not comparison.metrics:
        raise PlotRefused(path, "no metric differs between the runs", "choose one with --metric")
    try:
        from dispatcher import plot_figure
    except ImportError:
        raise PlotUnavailable from None
    metadata = {"Software": None} if ending == "png" else {"Date": None, "Creator": None}
    plot_figure.save(plot_plan.plan(comparison), path, ending, metadata)
