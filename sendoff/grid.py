"""The grammar of a sweep: which values vary, and how they enter the command."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from dispatcher.request import Data
from packer.record import Record
from sendoff.errors import Misuse
from sendoff.nearest import nearest

LIMIT = 10_000
"""Set-ups in one sweep; more is taken for a slip in a range."""

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_PARAMETER = re.compile(rf"({_NAME})=(.*)", re.DOTALL)
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?")
_PLACE = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")


class SetUp(Record, frozen=True):
    """One index of a sweep: its parameters and the command they make."""

    parameters: dict[str, str]
    command: tuple[str, ...]
    data: tuple[Data, ...] = ()
    """What it alone is given, in the store before the run is sent off."""


def parse_parameter(text: str) -> tuple[str, tuple[str, ...]]:
    """Name and values of "lr=1e-3,3e-4", "seed=0..4", "seed=0..10..5" or 'x=["a,b", "c"]'.

    A range includes both its ends. The JSON form takes values that hold commas.

    Raises:
        Misuse: it is none of these, or a range is empty or too long.
    """
    found = _PARAMETER.fullmatch(text)
    if found is None or not found[2]:
        raise Misuse(
            f"can't read the parameter {text!r}",
            "it is not NAME=VALUES",
            "write it as -p lr=1e-3,3e-4 or -p seed=0..4",
        )
    name, values = found[1], found[2]
    if values.startswith("["):
        return name, _from_json(name, values)
    return name, tuple(itertools.chain.from_iterable(map(_expand, values.split(","))))


_LIST = """write it as -p 'lr=[0.1, 0.2]', or without brackets: -p lr=0.1,0.2"""


def _from_json(name: str, text: str) -> tuple[str, ...]:
    import json

    try:
        values = json.loads(text)
    except ValueError as error:
        raise Misuse(
            f"can't read the values of {name}", f"{text!r} is no JSON list: {error}", _LIST
        ) from None
    if not values or any(isinstance(value, (list, dict)) for value in values):
        raise Misuse(
            f"can't read the values of {name}", f"{text!r} is no list of plain values", _LIST
        )
    return tuple(value if isinstance(value, str) else json.dumps(value) for value in values)


def _expand(text: str) -> tuple[str, ...]:
    found = _RANGE.fullmatch(text)
    if found is None:
        return (text,)
    first, last = int(found[1]), int(found[2])
    step = int(found[3]) if found[3] else (1 if last >= first else -1)
    if step == 0 or (last - first) * step < 0:
        raise Misuse(
            f"the range {text} is empty", fix="write it as FIRST..LAST or FIRST..LAST..STEP"
        )
    count = (last - first) // step + 1
    _check_count(count)
    return tuple(str(first + step * place) for place in range(count))


def _check_count(count: int) -> None:
    if count > LIMIT:
        raise Misuse(
            f"a sweep of {count:,} set-ups is over the limit of {LIMIT:,}",
            fix="narrow a range, or split the sweep",
        )


def merge(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """All parameters in the order given; one given twice has the values of both."""
    merged: dict[str, tuple[str, ...]] = {}
    for name, values in map(parse_parameter, texts):
        merged[name] = merged.get(name, ()) + values
    return merged


def plan(
    command: Sequence[str], parameters: Mapping[str, Sequence[str]], *, zipped: bool = False
) -> tuple[SetUp, ...]:
    """The set-ups of a sweep: the cartesian product, the last parameter varying fastest.

    `zipped` takes the values side by side instead: the first of each, the second of each, …
    In the command `{name}` stands for a value and `{{name}}` for the text "{name}"; any other
    brace is left as it is.

    Raises:
        Misuse: a name in the command has no values, a parameter is not in the command or has no
            values, or zipped parameters differ in length.
    """
    _check_names(command, parameters)
    for name, values in parameters.items():
        if not values:
            raise Misuse(f"the parameter {name} has no values", fix="give it one at least")
    if zipped:
        combinations = _zip(parameters)
    else:
        count = 1
        for values in parameters.values():
            count *= len(values)
        _check_count(count)
        combinations = list(itertools.product(*parameters.values()))
    return tuple(
        _set_up(command, dict(zip(parameters, combination, strict=True)))
        for combination in combinations
    )


def _zip(parameters: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    lengths = {name: len(values) for name, values in parameters.items()}
    if len(set(lengths.values())) > 1:
        raise Misuse(
            "--zip needs as many values for each parameter",
            ", ".join(f"{name} has {length}" for name, length in lengths.items()),
            "give each the same number of values, or leave --zip out for all combinations",
        )
    return list(zip(*parameters.values(), strict=True))


def _check_names(command: Sequence[str], parameters: Mapping[str, Sequence[str]]) -> None:
    used = {found[2] for part in command for found in _PLACE.finditer(part) if found[2]}
    for name in sorted(used - set(parameters)):
        near = nearest(name, parameters)
        raise Misuse(
            f"the command has {{{name}}}, but no parameter is called {name}",
            f"parameters: {', '.join(parameters) or 'none'}",
            f"did you mean {{{near}}}?" if near else f"add -p {name}=…, or write {{{{{name}}}}}",
        )
    for name in parameters:
        if name not in used:
            raise Misuse(
                f"the command does not use the parameter {name}",
                "its values would all give the same run",
                f"put {{{name}}} where its value belongs in the command",
            )


def _set_up(command: Sequence[str], parameters: dict[str, str]) -> SetUp:
    def value(found: re.Match[str]) -> str:
        return parameters[found[2]] if found[2] else f"{{{found[1]}}}"

    return SetUp(parameters=parameters, command=tuple(_PLACE.sub(value, part) for part in command))
