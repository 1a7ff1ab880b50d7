"""A planned plot as a matplotlib figure. Importing this imports matplotlib.

The same plan gives the same bytes with the same matplotlib: no dates, fixed ids, a font of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from dispatcher.plot_plan import Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = ("#2563eb", "#ea580c", "#059669", "#9333ea", "#db2777", "#0891b2", "#65a30d", "#475569")
_INK, _FAINT, _EDGE, _TICK = "#1f2937", "#e5e7eb", "#9ca3af", "#4b5563"
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _EDGE,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": _TICK,
    "ytick.color": _TICK,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.12,
    "svg.hashsalt": "sendoff",
    "svg.fonttype": "none",
}
_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2}
_DPI = 160
_DECADES = 50
"""Values whose extremes are this many times apart get a logarithmic axis."""
_TICKS = 10
"""Up to so many distinct values each has its tick."""


def save(
    panels: Sequence[Panel], path: Path, ending: str, metadata: Mapping[str, str | None]
) -> None:
    """Draw `panels` into the file `path`; `ending` is "png" or "svg"."""
    with rc_context(_STYLE):
        _figure(panels).savefig(path, format=ending, dpi=_DPI, metadata=dict(metadata))


def _figure(panels: Sequence[Panel]) -> Figure:
    columns = _COLUMNS.get(len(panels), 3)
    rows = -(-len(panels) // columns)
    longest = max(len(panel.bars) for panel in panels)
    height = max(2.2, 0.9 + 0.34 * longest) if longest else 3.3
    figure = Figure(
        figsize=(6.6 if columns == 1 else 4.1 * columns, height * rows),
        layout="constrained",
        facecolor="white",
    )
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, panel in zip(grid, panels, strict=False):
        axes.set_title(panel.title)
        if panel.axis:
            _lines(axes, panel)
        else:
            _bars(axes, panel)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    return figure


def _lines(axes: Axes, panel: Panel) -> None:
    for place, series in enumerate(panel.series):
        axes.plot(
            [x for x, _ in series.points],
            [y for _, y in series.points],
            marker="o",
            markersize=5,
            linewidth=1.8,
            color=_COLORS[place % len(_COLORS)],
            label=series.label,
            clip_on=False,
        )
    _scale(axes, sorted({x for series in panel.series for x, _ in series.points}))
    axes.set_xlabel(panel.axis)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    if any(series.label for series in panel.series):
        axes.legend(frameon=False, fontsize="small", handlelength=1.6)


def _scale(axes: Axes, values: Sequence[float]) -> None:
    if not values:
        return
    if values[0] > 0 and values[-1] / values[0] >= _DECADES:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    if len(values) <= _TICKS:
        axes.xaxis.set_major_locator(FixedLocator(list(values)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _bars(axes: Axes, panel: Panel) -> None:
    places = list(range(len(panel.bars)))
    axes.barh(
        places,
        [length for _, length, _ in panel.bars],
        color=[_COLORS[1] if best else _COLORS[0] for _, _, best in panel.bars],
        height=0.62,
    )
    axes.set_yticks(places, [label for label, _, _ in panel.bars])
    axes.invert_yaxis()
    axes.grid(axis="x", color=_FAINT, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
