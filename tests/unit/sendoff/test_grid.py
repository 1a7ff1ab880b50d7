from __future__ import annotations

import pytest

from sendoff.errors import Misuse
from sendoff.grid import parse_parameter, plan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr=1e-3,3e-4", ("lr", ("1e-3", "3e-4"))),
        ("seed=0..4", ("seed", ("0", "1", "2", "3", "4"))),
        ("seed=0..10..5", ("seed", ("0", "5", "10"))),
        ("seed=3..1", ("seed", ("3", "2", "1"))),
        ("seed=-2..0", ("seed", ("-2", "-1", "0"))),
        ("n=1..2,7", ("n", ("1", "2", "7"))),
        ('x=["a,b", 3, true, null]', ("x", ("a,b", "3", "true", "null"))),
        ("path=a=b", ("path", ("a=b",))),
        ("optimizer.lr=1", ("optimizer.lr", ("1",))),
        ("x=,a", ("x", ("", "a"))),
    ],
)
def test_values(text: str, expected: tuple) -> None:
    assert parse_parameter(text) == expected


@pytest.mark.parametrize(
    "text",
    ["lr", "lr=", "=1", "1x=2", "x=[", "x=[]", "x=[[1]]", "x=0..3..0", "x=0..3..-1", "x=0..99999"],
)
def test_what_is_no_parameter(text: str) -> None:
    with pytest.raises(Misuse):
        parse_parameter(text)


def commands(command: str, *, zipped: bool = False, **parameters: list[str]) -> list[str]:
    planned = plan(command.split(), parameters, zipped=zipped)
    return [" ".join(set_up.command) for set_up in planned]


def test_the_product_varies_the_last_fastest() -> None:
    assert commands("t {a}{b}", a=["1", "2"], b=["x", "y"]) == ["t 1x", "t 1y", "t 2x", "t 2y"]


def test_zip_takes_values_side_by_side() -> None:
    assert commands("t {a} {b}", zipped=True, a=["1", "2"], b=["x", "y"]) == ["t 1 x", "t 2 y"]
    with pytest.raises(Misuse, match="a has 2, b has 1"):
        commands("t {a} {b}", zipped=True, a=["1", "2"], b=["x"])


def test_braces() -> None:
    assert commands('{a} {{a}} {"k":{"l":1}} {} ${{x}} {a', a=["1"]) == [
        '1 {a} {"k":{"l":1}} {} ${x} {a'
    ]


def test_a_value_is_not_read_again() -> None:
    assert commands("{a} {b}", a=["{b}"], b=["2"]) == ["{b} 2"]


def test_slips() -> None:
    with pytest.raises(Misuse) as unknown:
        commands("t {sed}", seed=["1"])
    assert unknown.value.fix() == "did you mean {seed}?"
    with pytest.raises(Misuse, match="does not use the parameter b"):
        commands("t {a}", a=["1"], b=["2"])
    with pytest.raises(Misuse, match="over the limit"):
        commands("t {a} {b}", a=["1"] * 101, b=["2"] * 100)
