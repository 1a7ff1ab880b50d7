from __future__ import annotations

import io
import json
import math

import pytest

from sendoff.terminal import console as consoles
from sendoff.terminal.console import Console, align, is_terminal, paint, visible


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [None, object()])
def test_what_is_no_stream_is_no_terminal(stream) -> None:
    assert not is_terminal(stream)


def test_columns_are_aligned_and_numbers_to_the_right() -> None:
    rows = [["a", "1", "x"], ["bbb", "-", "yy"], ["c", "10.5", ""]]
    assert align(["name", "n", "text"], rows) == [
        "name     n  text",
        "a        1  x",
        "bbb      -  yy",
        "c     10.5",
    ]
    assert align(["a", "b"], []) == ["a  b"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\x1b[2J\u202e", "a\\nb\\x1b[2J\\u202e"),
        ("plain é 漢", "plain é 漢"),
    ],
)
def test_nothing_in_a_cell_moves_the_cursor(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert align(["x"], [[text]]) == ["x", shown]


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert paint("x", "red", Terminal()) == "\x1b[31mx\x1b[0m"
    assert paint("x", None, Terminal()) == "x"
    assert paint("x", "red", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("x", "red", Terminal()) == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert paint("x", "red", Terminal()) == "x"


def test_a_document_is_one_line_of_json_whatever_the_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Console(machine=True).document({"a": math.nan, "b": (math.inf, -math.inf), "c": 1.5, "d": "é"})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": "nan", "b": ["inf", "-inf"], "c": 1.5, "d": "é"}


def test_quiet_is_for_narration_only(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Console(quiet=True)
    quiet.say("narration")
    quiet.result("result")
    assert capsys.readouterr() == ("result\n", "")


def test_a_name_that_is_not_utf_8_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    Console().result("caf\udce9")
    assert capsys.readouterr().out == "caf\\udce9\n"


def test_a_closed_stream_is_no_terminal() -> None:
    stream = Terminal()
    stream.close()
    stream.isatty = lambda: (_ for _ in ()).throw(ValueError)  # type: ignore[method-assign]
    assert not consoles.is_terminal(stream)
