from __future__ import annotations

import pytest

from sendoff.quantities import parse_duration, parse_size, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("0.5", 0.5),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1.5 h", 5400),
        ("2d", 172800),
        ("1H 5s", 3605),
        ("500ms", 0.5),
        ("1w", 604800),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-5m", "1h30", "ten", "1h,30m", "1e3", "inf", "5 5"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1024", 1024),
        ("16GB", 16 * 10**9),
        ("16g", 16 * 10**9),
        ("512M", 512 * 10**6),
        ("16Gi", 16 * 2**30),
        ("1.5 GiB", 3 * 2**29),
        ("0", 0),
    ],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "GB", "-1", "5 i", "5ib", "1e9", "16 PB"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


def test_what_people_see() -> None:
    durations = (0.4231, 12.34, 59.96, 62, 3600 * 2 + 61, float("inf"))
    assert [show_duration(seconds) for seconds in durations] == [
        "0.42 s",
        "12.3 s",
        "60.0 s",
        "1 m 02 s",
        "2 h 01 m",
        "-",
    ]
    assert [show_size(size) for size in (0, 999, 1000, 1_440_000, 999_950, 3 * 10**12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "1.4 MB",
        "1.0 MB",
        "3.0 TB",
    ]
