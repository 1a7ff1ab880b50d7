"""What the front door says: errors, and the table of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.comparison import Row, as_csv, compare, table
from dispatcher.plot import PlotRefused, PlotUnavailable
from packer.errors import SendoffError
from sendoff.errors import (
    IndexUnknown,
    InvalidConfigurationFile,
    InvalidSetting,
    Misuse,
    RunAmbiguous,
    RunUnknown,
    UnknownSetting,
)
from sendoff.grid import parse_parameter, plan
from sendoff.terminal import failure
from sendoff.terminal.console import align


def misuse(function, *arguments, **named) -> Misuse:
    with pytest.raises(Misuse) as caught:
        function(*arguments, **named)
    return caught.value


def errors() -> list[SendoffError]:
    return [
        misuse(parse_parameter, "lr"),
        misuse(parse_parameter, "x=0..3..-1"),
        misuse(parse_parameter, "x=0..99999"),
        misuse(parse_parameter, "x=[1"),
        misuse(plan, ["t", "{lrr}"], {"lr": ["1"]}),
        misuse(plan, ["t", "{lr}"], {}),
        misuse(plan, ["t"], {"lr": ["1"]}),
        misuse(plan, ["{a}{b}"], {"a": ["1"], "b": ["1", "2"]}, zipped=True),
        UnknownSetting("max_paralel", "/p/pyproject.toml [tool.sendoff]", "max-parallel"),
        UnknownSetting("colour", "/p/sendoff.toml", ""),
        InvalidSetting("timeout", "--timeout", "'soon' is no duration"),
        InvalidConfigurationFile("/p/sendoff.toml", "Invalid value (at line 1, column 10)"),
        RunUnknown("trian-abcdef", "train-abcdef"),
        RunUnknown("@last"),
        RunAmbiguous("train", [f"train-{letter * 6}" for letter in "abcdefg"]),
        IndexUnknown("train-abcdef", "7", 5),
        IndexUnknown("train-abcdef", "1", 1),
        PlotUnavailable(),
        PlotRefused(Path("plot.pdf"), "it does not end in .png or .svg", "name it .png or .svg"),
    ]


def test_errors(golden) -> None:
    texts = ["\n".join([error.code, *failure.lines(error)]) for error in errors()]
    golden("words/errors.txt", "\n\n".join(texts) + "\n")


def test_comparison(golden) -> None:
    rows = [
        Row(
            name=f"quantize-abcdef/{number}",
            state="succeeded" if bits < 8 else "failed",
            parameters={"bits": str(bits), "seed": "0"},
            metrics={"accuracy.all": 1 - 1 / bits, "accuracy.original": 0.97} if bits < 8 else {},
        )
        for number, bits in enumerate((2, 3, 4, 8))
    ]
    compared = compare(rows, metrics=["accuracy.all"], sort="-accuracy.all", best="max")
    golden("words/comparison.txt", "\n".join(align(*table(compared))) + "\n")
    golden("words/comparison.csv", as_csv(compare(rows)))
