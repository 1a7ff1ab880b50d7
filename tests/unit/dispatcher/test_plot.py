from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.comparison import Row, compare
from dispatcher.plot import PlotRefused, draw
from dispatcher.plot_plan import plan

ROOT = Path(__file__).parents[3]


def rows(parameters: list[dict[str, str]], *metrics: str) -> list[Row]:
    return [
        Row(
            name=f"r/{number}",
            state="succeeded",
            parameters=given,
            metrics={name: number + place / 10 for place, name in enumerate(metrics)},
        )
        for number, given in enumerate(parameters)
    ]


BITS = [{"bits": str(bits)} for bits in (8, 2, 4)]


def test_metrics_of_one_family_share_a_panel() -> None:
    panels = plan(compare(rows(BITS, "acc.first", "acc.second", "loss")))
    assert [(panel.title, panel.axis) for panel in panels] == [("acc", "bits"), ("loss", "bits")]
    assert [series.label for series in panels[0].series] == ["first", "second"]
    assert panels[1].series[0].points == ((2, 1.2), (4, 2.2), (8, 0.2))


def test_other_parameters_make_lines() -> None:
    grid = [{"lr": lr, "opt": opt} for lr in ("1e-3", "1e-2", "1e-1") for opt in ("a", "b")]
    (panel,) = plan(compare(rows(grid, "loss")))
    assert panel.axis == "lr"
    assert [series.label for series in panel.series] == ["opt=a", "opt=b"]


def test_without_a_numeric_parameter_there_are_bars() -> None:
    compared = compare(rows([{"m": "x"}, {"m": "y"}], "acc"), metrics=["acc"], best="max")
    (panel,) = plan(compared)
    assert panel.bars == (("m=x", 0, False), ("m=y", 1, True))


def test_runs_without_parameters_are_labelled_by_name() -> None:
    (panel,) = plan(compare(rows([{}, {}], "acc")))
    assert [label for label, _, _ in panel.bars] == ["r/0", "r/1"]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_comparison_gives_the_same_bytes(ending: str, tmp_path: Path) -> None:
    compared = compare(rows(BITS, "acc.first", "acc.second", "loss"))
    first, second = tmp_path / f"first.{ending}", tmp_path / f"second.{ending}"
    draw(compared, first)
    draw(compared, second)
    assert first.read_bytes() == second.read_bytes()
    magic = b"\x89PNG" if ending == "png" else b"<?xml"
    assert first.read_bytes().startswith(magic)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlotRefused, match="does not end in"):
        draw(compare(rows(BITS, "acc")), tmp_path / "plot.pdf")
    with pytest.raises(PlotRefused, match="no metric differs"):
        draw(compare(rows(BITS)), tmp_path / "plot.png")


def test_without_matplotlib_the_remedy_is_named() -> None:
    code = """
import subprocess
import sys
from pathlib import Path
sys.modules["matplotlib"] = None
from dispatcher.comparison import Row, compare
from dispatcher.plot import PlotUnavailable, draw
rows = [Row(name=n, state="succeeded", parameters={}, metrics={"a": len(n)}) for n in ("x", "xy")]
try:
    draw(compare(rows), Path("plot.png"))
except PlotUnavailable as error:
    print(error.fix())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert done.stdout.decode().strip() == 'pip install "sendoff[plot]"'
