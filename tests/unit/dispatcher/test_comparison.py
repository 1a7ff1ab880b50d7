from __future__ import annotations

import math

import pytest

from dispatcher.comparison import Row, as_csv, compare, parameters_of, show, table


def row(name: str, parameters: dict[str, str], state: str = "succeeded", **metrics: float) -> Row:
    return Row(name=name, state=state, parameters=parameters, metrics=metrics)


ROWS = (
    row("r/0", {"bits": "2", "seed": "0"}, acc=0.5, loss=1.0),
    row("r/1", {"bits": "10", "seed": "0"}, acc=0.9, loss=1.0),
    row("r/2", {"bits": "4", "seed": "0"}, acc=0.7, loss=1.0),
)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python train.py --lr 1e-3 --layers=3 -v", {"lr": "1e-3", "layers": "3", "v": "true"}),
        ("python t.py --shift -3", {"shift": "-3"}),
        ("python t.py optimizer.lr=0.1 +x=2", {"optimizer.lr": "0.1", "x": "2"}),
        ("python t.py --fast --lr 1 file", {"fast": "true", "lr": "1"}),
        ("true", {}),
    ],
)
def test_parameters_of_a_command(command: str, expected: dict[str, str]) -> None:
    assert parameters_of(command.split()) == expected


def test_what_is_constant_is_left_out() -> None:
    compared = compare(ROWS)
    assert compared.parameters == ("bits",)
    assert compared.metrics == ("acc",)
    assert compared.same == {"seed": "0", "loss": "1"}


def test_a_missing_value_is_not_the_same() -> None:
    compared = compare([*ROWS, row("s", {"bits": "2"}, loss=1.0)])
    assert compared.parameters == ("bits", "seed")
    assert compared.metrics == ("acc",)
    assert table(compared)[1][-1] == ["s", "2", "-", "-"]


def test_one_row_shows_everything() -> None:
    assert compare(ROWS[:1]).metrics == ("acc", "loss")


def test_sorting_is_by_number() -> None:
    assert [each.name for each in compare(ROWS, sort="bits").rows] == ["r/0", "r/2", "r/1"]
    assert [each.name for each in compare(ROWS, sort="-acc").rows] == ["r/1", "r/2", "r/0"]
    rows = [row("none", {}), *ROWS]
    assert compare(rows, sort="-acc").rows[-1].name == "none"


def test_the_best_is_marked_and_a_nan_is_not_it() -> None:
    rows = [*ROWS, row("r/3", {"bits": "1", "seed": "0"}, acc=math.nan)]
    assert compare(rows, metrics=["acc"], best="max").best == "r/1"
    assert compare(rows, metrics=["acc"], best="min").best == "r/0"
    assert compare(rows, sort="-acc", best="max").best == "r/1"
    assert table(compare(rows, metrics=["acc"], best="max"))[1][1][0] == "r/1 *"
    assert compare([row("x", {})], metrics=["acc"], best="max").best == ""


def test_states_are_shown_where_they_differ() -> None:
    header, _ = table(compare([*ROWS, row("r/3", {"bits": "1", "seed": "0"}, "failed")]))
    assert header == ["run", "bits", "acc", "loss", "state"]


def test_csv_has_full_precision_and_what_is_the_same() -> None:
    rows = [row("a,b", {"x": "1"}, m=0.1 + 0.2), row("c", {"x": "2"}, m=math.nan)]
    assert as_csv(compare(rows)) == (
        'run,state,x,m,digest\n"a,b",succeeded,1,0.30000000000000004,\nc,succeeded,2,nan,\n'
    )
    assert as_csv(compare(ROWS)).splitlines()[0] == "run,state,bits,seed,acc,loss,digest"


def test_numbers_as_text() -> None:
    numbers = (1.0, 0.123456789, 1e20, -3.0, math.inf, math.nan, 1e-9)
    assert [show(value) for value in numbers] == [
        "1",
        "0.123457",
        "1e+20",
        "-3",
        "inf",
        "nan",
        "1e-09",
    ]
