from __future__ import annotations

import json

import pytest

from packer.errors import SendoffError
from sendoff.errors import Internal, Misuse
from sendoff.terminal import failure


class Broken(SendoffError):
    code, phase = "BROKEN", "test"

    def what(self) -> str:
        return "it\nbroke"

    def why(self) -> str:
        return "somebody\n pulled"

    def evidence(self) -> str:
        return "Traceback:\n  first\nlast words\n"

    def fix(self) -> str:
        return "glue it"


def test_at_most_four_lines_whatever_the_error_holds() -> None:
    assert failure.lines(Broken()) == [
        "error: it broke",
        "  why: somebody pulled",
        "  saw: last words",
        "  fix: glue it",
    ]
    assert failure.lines(Misuse("no")) == ["error: no"]


def test_a_machine_gets_one_document_and_people_their_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failure.report(Broken(), machine=True) == 125
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "code": "BROKEN",
        "phase": "test",
        "message": "it\nbroke",
        "cause": "somebody\n pulled",
        "evidence": "Traceback:\n  first\nlast words\n",
        "fix": "glue it",
        "retryable": False,
    }
    assert err.count("\n") == 4


def test_an_unforeseen_error_says_where_it_was() -> None:
    with pytest.raises(KeyError) as caught:
        {}["x"]
    lines = failure.lines(Internal(caught.value))
    assert lines[0] == "error: sendoff itself failed: KeyError: 'x'"
    assert "test_failure.py:" in lines[1]
