"""How much an answer holds: an agent pays for every line. Each bound has a way to get on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

TEXT = 8_000
"""Bytes of output or of a file, about."""
LINE = 1_000
"""Letters of one line of output."""
ROWS = 50
FILES = 100
DETAILS = 10
"""Indexes of which all is told at once."""
METRICS = 30
TROUBLED = 5
WORDS = 300
"""Letters of a command or a parameter."""
EVIDENCE = 2_000


def clip(text: str, most: int = WORDS) -> str:
    """The beginning of a long text, and how much is left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text) - most} more letters)"


def clip_end(text: str, most: int = EVIDENCE) -> str:
    """The end of a long text: programs end with what went wrong."""
    return text if len(text) <= most else f"({len(text) - most} letters before) …{text[-most:]}"


def clipped(named: Mapping[str, str]) -> dict[str, str]:
    """Names with texts, some of each."""
    return {clip(name): clip(text) for name, text in islice(named.items(), METRICS)}


def last_lines(lines: Sequence[str], most: int = TEXT) -> tuple[str, ...]:
    """The last of `lines` that fit, a long one cut."""
    kept: list[str] = []
    for line in reversed(lines):
        shown = clip(line, LINE)
        most -= len(shown.encode(errors="replace")) + 1
        if most < 0:
            break
        kept.append(shown)
    return tuple(reversed(kept))


def page(rows: Sequence[T], start: int, most: int) -> Sequence[T]:
    """Some of `rows`."""
    return rows[start : start + most]


def some(names: Iterable[str], most: int) -> tuple[str, ...]:
    """The first of `names`."""
    return tuple(map(clip, islice(names, most)))
