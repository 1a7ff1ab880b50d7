"""Readers of the forms in which experiments report numbers.

What can't be read is passed over: a half-written line, a file that is not what its name says.
Sizes are bounded, since the files are whatever the command wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from dispatcher.readings import Point, Reading

JSON_LIMIT = 16 << 20
"""Bytes of a JSON file; a larger one is no summary."""
STREAM_LIMIT = 256 << 20
"""Bytes read of a file of lines, letters of printed text."""
LINE_LIMIT = 1 << 20
"""Bytes of a line; a longer one is passed over."""
TEXT_LIMIT = 10_000
"""Letters of a line of output in which to look for numbers."""
DEPTH_LIMIT = 16
NAME_LIMIT = 200

Reader = Callable[[str, BinaryIO], Iterator[Reading]]

_STEPS = ("step", "global_step", "iteration", "epoch")
_NAME = r"[A-Za-z_][\w./@-]{0,79}"
_NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf|infinity)"
_END = r"%?(?=[\s,;|)\]}]|$)"
_PAIR = re.compile(rf"(?<![\w./:=-])({_NAME})(?:\s*=\s*|\s*:\s+)({_NUMBER}){_END}", re.IGNORECASE)
_WHOLE_LINE = re.compile(
    rf"\s*({_NAME}(?: [A-Za-z_(][\w./@()-]{{0,79}}){{0,5}})\s*[:=]\s*({_NUMBER})\s*%?\s*",
    re.IGNORECASE,
)
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_MAY_HOLD = re.compile(r"[:=]\s*[-+.\dni]", re.IGNORECASE)
_JSON_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|(-?\d[\d.eE+-]*|NaN|-?Infinity)', re.DOTALL)


def read_json(path: str, stream: BinaryIO) -> Iterator[Reading]:
    """Every number of a JSON file, nested names joined by dots.

    The elements of a list are the history of one name. The source has the line of the value.
    """
    data = stream.read(JSON_LIMIT + 1)
    if len(data) > JSON_LIMIT:
        return
    text = data.decode("utf-8-sig", errors="replace")
    for name, number, step in _flatten(_parse(text), "", None):
        yield name, Point(value=float(number), source=f"{path}:{number.line}", step=step)


def read_json_lines(path: str, stream: BinaryIO) -> Iterator[Reading]:
    """Every number of every line that is a JSON object."""
    for line, text in _lines(stream):
        if text.lstrip().startswith("{"):
            for name, number, step in _flatten(_parse(text), "", None):
                yield name, Point(value=float(number), source=f"{path}:{line}", step=step)


def read_csv(path: str, stream: BinaryIO) -> Iterator[Reading]:
    """Every number of a table whose first row names its columns.

    A table of two columns, name and value, has a metric in each row instead.
    """
    import csv

    line = 0

    def rows() -> Iterator[str]:
        nonlocal line
        for line, text in _lines(stream):  # noqa: B007 - the reader's callers want the line
            yield text + "\n"

    try:
        reader = csv.reader(rows())
        header = [cell.strip() for cell in next(reader, [])]
        if not header or any(_number(cell) is not None for cell in header):
            return
        for row in reader:
            yield from _row(header, row, f"{path}:{line}")
    except csv.Error:
        return


def _row(header: list[str], row: list[str], source: str) -> Iterator[Reading]:
    if [name.lower() for name in header[1:]] == ["value"]:
        header, row = [row[0].strip()], row[1:]
    cells = {name: _number(cell) for name, cell in zip(header, row, strict=False) if name}
    step = next((cells[name] for name in _STEPS if cells.get(name) is not None), None)
    for name, value in cells.items():
        if value is not None:
            yield name[:NAME_LIMIT], Point(value=value, source=source, step=step)


def read_text(pieces: Iterable[str]) -> Iterator[Reading]:
    """The numbers of `key: value` and `key=value` in printed text.

    A line is either one such pair, whose key may be words ("test accuracy: 0.97"), or holds any
    number of pairs with one-word keys ("epoch 3/10 - loss: 0.3 - acc=0.9"). Of text overwritten
    with carriage returns the last state counts.
    """
    for line, text in enumerate(_printed_lines(pieces), 1):
        if not _MAY_HOLD.search(text):
            continue
        whole = _WHOLE_LINE.fullmatch(text)
        pairs = [whole] if whole else _PAIR.finditer(text)
        values = {" ".join(pair[1].split()): float(pair[2]) for pair in pairs}
        step = next((values[name] for name in _STEPS if name in values), None)
        for name, value in values.items():
            yield name, Point(value=value, source=f"stdout:{line}", step=step)


def _printed_lines(pieces: Iterable[str]) -> Iterator[str]:
    rest, size = "", 0
    for piece in pieces:
        size += len(piece)
        if size > STREAM_LIMIT:
            return
        *whole, rest = (rest + piece).split("\n")
        yield from map(_visible, whole)
        rest = rest[-TEXT_LIMIT:]
    if rest:
        yield _visible(rest)


def _visible(line: str) -> str:
    """What a terminal would still show of `line`."""
    states = [state for state in line[-TEXT_LIMIT:].split("\r") if state.strip()]
    return _ESCAPES.sub("", states[-1]) if states else ""


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    number = size = 0
    while size < STREAM_LIMIT and (data := stream.readline(LINE_LIMIT)):
        number += 1
        size += len(data)
        if len(data) == LINE_LIMIT and not data.endswith(b"\n"):
            while len(part := stream.readline(LINE_LIMIT)) == LINE_LIMIT and part[-1:] != b"\n":
                size += len(part)
            continue
        yield number, data.decode("utf-8-sig", errors="replace").rstrip("\r\n")


class _Number(float):
    """A number of a JSON text and the line it stands on."""

    line: int


def _parse(text: str) -> Any:
    """The document in `text`, its numbers as `_Number`; None where it is no JSON."""
    lines = _lines_of_numbers(text)

    def number(digits: str) -> _Number:
        value = _Number(digits)
        value.line = next(lines)
        return value

    try:
        return json.loads(text, parse_float=number, parse_int=number, parse_constant=number)
    except (ValueError, RecursionError):
        return None


def _lines_of_numbers(text: str) -> Iterator[int]:
    """The line of each number in a JSON text, in the order of the text."""
    line, seen = 1, 0
    for token in _JSON_NUMBER.finditer(text):
        if token[1]:
            line += text.count("\n", seen, token.start())
            seen = token.start()
            yield line


def _flatten(
    value: Any, name: str, step: float | None, depth: int = 0
) -> Iterator[tuple[str, _Number, float | None]]:
    if isinstance(value, _Number):
        if name:
            yield name, value, step
    elif depth >= DEPTH_LIMIT or len(name) > NAME_LIMIT:
        return
    elif isinstance(value, dict):
        steps = (value[key] for key in _STEPS if isinstance(value.get(key), _Number))
        step = next(map(float, steps), step)
        for key, part in value.items():
            yield from _flatten(part, f"{name}.{key}" if name else key, step, depth + 1)
    elif isinstance(value, list):
        for part in value:
            # A list in a list is a matrix: its numbers are not one metric's history.
            if not isinstance(part, list):
                yield from _flatten(part, name, step, depth + 1)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
