"""Durations and sizes as people write them: "30m", "1h30m", "16GB"."""

from __future__ import annotations

import math
import re

_MINUTE, _HOUR = 60, 3600
_NEXT_UNIT = 999.5
"""From here a size would round to four digits."""
_WHOLE = 99.95
"""From here a size needs no decimals."""

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])")
_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Seconds of "90", "30m", "1h30m", "1.5 h", "2d"; a bare number is seconds.

    Raises:
        ValueError: it is none of these.
    """
    rest, total = text.strip().lower(), 0.0
    if re.fullmatch(r"\d+(\.\d+)?", rest):
        return float(rest)
    while True:
        part = _DURATION_PART.match(rest)
        if part is None:
            raise ValueError(f'{text!r} is no duration; write it as "90s", "30m" or "1h30m"')
        total += float(part[1]) * _SECONDS[part[2]]
        rest = rest[part.end() :].lstrip()
        if not rest:
            return total


def parse_size(text: str) -> int:
    """Bytes of "16GB", "512M" (powers of 1000), "16Gi", "512MiB" (powers of 1024).

    Raises:
        ValueError: it is none of these.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or (found[3] and not found[2]):
        raise ValueError(f'{text!r} is no size; write it as "512MB" or "16Gi"')
    units = _BINARY if found[3] else _BYTES
    return round(float(found[1]) * units[found[2].lower()])


def show_duration(seconds: float) -> str:
    """A duration for people: "0.42 s", "12.3 s", "4 m 02 s", "1 h 05 m"."""
    if not math.isfinite(seconds):
        return "-"
    if seconds < _MINUTE:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < _HOUR // _MINUTE:
        return f"{minutes} m {rest:02} s"
    hours, minutes = divmod(minutes, _HOUR // _MINUTE)
    return f"{hours} h {minutes:02} m"


def show_size(count: int) -> str:
    """A size for people, in powers of 1000: "312 B", "1.4 MB"."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    unit = units.pop(0)
    while size >= _NEXT_UNIT and units:
        size /= 1000
        unit = units.pop(0)
    return f"{size:.1f} {unit}" if unit != "B" and size < _WHOLE else f"{size:.0f} {unit}"
