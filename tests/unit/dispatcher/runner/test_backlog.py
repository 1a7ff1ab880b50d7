"""Chunks of a log that wait for a store."""

from __future__ import annotations

from dispatcher.runner.backlog import Backlog

MB = 1 << 20


def test_first_in_first_out(tmp_path):
    backlog = Backlog(str(tmp_path / "log"))
    for number in range(3):
        backlog.add(b"%d" % number)
    found = []
    while backlog:
        found.append(backlog.first())
        backlog.drop()
    assert found == [b"0", b"1", b"2"]
    assert not (tmp_path / "log").exists()


def test_a_long_one_waits_on_disk_and_leaves_nothing_there(tmp_path):
    backlog = Backlog(str(tmp_path / "log"))
    chunks = [bytes([number]) * (4 * MB) for number in range(9)]
    for chunk in chunks:
        backlog.add(chunk)
    on_disk = [path.stat().st_size for path in (tmp_path / "log").iterdir()]
    assert on_disk == [4 * MB] * 5
    for number, chunk in enumerate(chunks):
        assert backlog.first() == chunk
        backlog.drop()
        # What makes room is taken into memory again.
        if number == 4:
            backlog.add(b"last")
    assert backlog.first() == b"last"
    backlog.drop()
    assert len(backlog) == 0
    assert list((tmp_path / "log").iterdir()) == []
