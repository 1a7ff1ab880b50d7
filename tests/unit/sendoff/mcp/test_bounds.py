from __future__ import annotations

from dispatcher.logs import LogEvent
from sendoff.mcp import bounds, looking


def test_long_texts_are_cut_and_say_so() -> None:
    assert bounds.clip("short") == "short"
    assert bounds.clip("x" * 500, 10) == "xxxxxxxxxx… (490 more letters)"
    assert bounds.clip_end("a" * 500 + "end", 3) == "(500 letters before) …end"
    assert len(bounds.clipped({str(number): "x" for number in range(99)})) == bounds.METRICS


def test_the_last_lines_that_fit_are_kept() -> None:
    assert bounds.last_lines(["a", "b"]) == ("a", "b")
    assert bounds.last_lines([]) == ()
    kept = bounds.last_lines([f"line {number}" for number in range(9999)])
    assert kept[-1] == "line 9998"
    assert bounds.TEXT - 20 < sum(len(line) + 1 for line in kept) <= bounds.TEXT
    # One line that is too long by itself is cut, not left out.
    (long,) = bounds.last_lines(["x" * 100_000])
    assert len(long) < bounds.LINE + 30


def test_output_is_told_as_a_terminal_would_leave_it() -> None:
    def lines(*texts: str) -> list[str]:
        return looking._lines(LogEvent(time=0, stream="stdout", text=text) for text in texts)

    assert lines("a\nb", "c\n") == ["a", "bc"]
    assert lines("1%\r2%\r", "100%\nend") == ["100%", "end"]
    assert lines("windows\r\n") == ["windows"]
    assert lines("50%\r") == ["50%"]
    assert lines() == []
    assert lines("\n\n") == ["", ""]
