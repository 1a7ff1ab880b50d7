"""Files of several indexes, of real runs."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

import sendoff
from dispatcher.errors import ResultUnknown
from sendoff.errors import Misuse


@pytest.fixture
def run(work: ModuleType) -> sendoff.Run:  # noqa: ARG001 - it makes the project
    """Of two indexes; the first has written a file."""
    writes = ["python", "-c", "open('m.txt', 'w').write('one')"]
    return sendoff.ship_many([writes, "true"]).wait()


def test_what_one_index_lacks_is_fetched_from_the_other(run: sendoff.Run) -> None:
    assert run.results("out", "m.txt") == [Path("out/0/m.txt")]
    assert Path("out/0/m.txt").read_text() == "one"
    with pytest.raises(ResultUnknown):
        run.results("out", "n.txt")


def test_an_index_is_no_run(run: sendoff.Run) -> None:
    with pytest.raises(Misuse) as caught:
        sendoff.get(f"{run.id}/0")
    assert caught.value.fix() == f"sendoff.get({run.id!r})[0]"
