"""The log of a pod: shown as it is, and kept for the store."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dispatcher.runner.log import AppendedChunks, Log
from dispatcher.runner.store import DirectoryStore


class Kept:
    """A log in a directory."""

    def __init__(self, folder: Path) -> None:
        self._store = DirectoryStore(str(folder))
        self.chunks = AppendedChunks(self._store, lambda number: f"log/{number}")

    @property
    def lines(self) -> list[list]:
        keys = self._store.list("log/")
        return [json.loads(line) for key in keys for line in self._store.get(key).splitlines()]


@pytest.fixture
def kept(tmp_path) -> Kept:
    return Kept(tmp_path)


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    for descriptor in (reading, writing):
        os.close(descriptor)


def test_what_is_shown_is_raw_and_what_is_kept_is_text(kept, pipe):
    reading, writing = pipe
    log = Log(kept.chunks, 1000, {"out": writing})
    # A letter in two pieces, and a byte that is none.
    for piece in (b"\xe2\x82", b"\xac\r", b"\xff\n"):
        log.write("out", piece, 1.0)
        assert os.read(reading, 100) == piece
    log.write("err", b"hidden", 2.0)
    assert "".join(text for _, stream, text in kept.lines if stream == "out") == "€\r\udcff\n"
    assert kept.lines[-1] == [2.0, "err", "hidden"]


def test_nobody_has_to_look(kept, pipe):
    _, writing = pipe
    reading, closed = os.pipe()
    os.close(reading)
    log = Log(kept.chunks, 1000, {"out": closed, "err": writing})
    log.write("out", b"1", 0)
    log.write("out", b"2", 0)
    os.close(closed)
    assert [text for _, _, text in kept.lines] == ["1", "2"]


def test_a_limit_is_said_and_the_tail_goes_on(kept):
    log = Log(kept.chunks, 60, None)
    for number in range(9):
        log.write("err", b"%d" % number * 9, 0)
    assert len(kept.lines) < 9
    assert "only the first" in log.cut
    assert log.tail("err").endswith("8" * 9)


def test_what_could_not_be_kept_is_said(kept, tmp_path):
    (tmp_path / "log").write_text("in the way")
    log = Log(kept.chunks, 1000, None)
    log.write("out", b"x", 0)
    assert "could not be stored" in log.problem
