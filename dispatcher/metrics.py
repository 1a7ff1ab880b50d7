"""The numbers an experiment reports, gathered from what it wrote and printed.

Sources, the strongest first: metrics.json and other JSON files, JSON lines, CSV, TensorBoard's
event files, then `key: value` and `key=value` on standard output. Files count where their name
says that they hold measurements (`MEASURING`), so that a data set among the outputs is not taken
for one. Where a name occurs again in one kind of source, its last value wins and the earlier ones
are its history.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from dispatcher.readings import Point, Reading
from packer.record import Record

NAMES_LIMIT = 1_000
"""Metrics of one index; further names are dropped."""
HISTORY_LIMIT = 10_000
"""Points kept of one metric; beyond it every second one is dropped, and so on."""

MEASURING = re.compile(
    r"(.*[._-])?(metrics?|results?|scores?|history|progress|trainer_state|evaluation|eval|log|logs)"
    r"([._-].*)?\.(json|jsonl|ndjson|csv)",
    re.IGNORECASE,
)

Opener = Callable[[], BinaryIO]


class Metric(Record, frozen=True):
    """A named number; `history` has all points, the last included."""

    name: str
    value: float
    source: str
    history: tuple[Point, ...]


def collect(files: Iterable[tuple[str, Opener]], stdout: Iterable[str]) -> dict[str, Metric]:
    """All metrics of one index, sorted by name.

    `files` are outputs by relative path with a way to open them; `stdout` is text in pieces of
    any size, as it came.
    """
    from dispatcher import metric_formats as formats

    known = list(files)
    chosen = sorted((path, opener) for path, opener in known if MEASURING.fullmatch(_base(path)))
    kinds: tuple[tuple[tuple[str, ...], formats.Reader], ...] = (
        ((".csv",), formats.read_csv),
        ((".jsonl", ".ndjson"), formats.read_json_lines),
        ((".json",), formats.read_json),
    )
    found = _gather(formats.read_text(stdout))
    found.update(_gather(_read_events(known)))
    for endings, reader in kinds:
        readings = _read_all(chosen, endings, reader)
        found.update(_gather(readings))
    return {name: found[name] for name in sorted(found)[:NAMES_LIMIT]}


def _read_all(
    files: list[tuple[str, Opener]],
    endings: tuple[str, ...],
    reader: Callable[[str, BinaryIO], Iterator[Reading]],
) -> Iterator[Reading]:
    # metrics.json last: of two JSON files with the same name for something, it is the one meant.
    for path, opener in sorted(files, key=lambda file: _base(file[0]) == "metrics.json"):
        if path.lower().endswith(endings):
            with opener() as stream:
                yield from reader(path, stream)


def _read_events(files: list[tuple[str, Opener]]) -> Iterator[Reading]:
    from dispatcher import event_files

    chosen = {path: opener for path, opener in files if event_files.NAME.fullmatch(_base(path))}
    # Names have the second at which a file was begun in front, so that later ones come later.
    for path, prefix in sorted(event_files.prefixes(chosen).items()):
        with chosen[path]() as stream:
            for name, point in event_files.read(path, stream):
                yield prefix + name, point


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _gather(readings: Iterable[Reading]) -> dict[str, Metric]:
    points: dict[str, list[Point]] = {}
    for name, point in readings:
        if name not in points and len(points) >= NAMES_LIMIT:
            continue
        history = points.setdefault(name, [])
        history.append(point)
        if len(history) > HISTORY_LIMIT:
            del history[-2::-2]
    return {
        name: Metric(
            name=name, value=history[-1].value, source=history[-1].source, history=tuple(history)
        )
        for name, history in points.items()
    }
