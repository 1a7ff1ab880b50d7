"""Logs as the command runs, from another process than the runner."""

from __future__ import annotations

import json
import os
import time

import pytest

from dispatcher import logs
from dispatcher.errors import RunUnknown
from dispatcher.runner.log import CHUNK, AppendedChunks
from dispatcher.store import RunKeys, Runs


def text(bench, run, stream: str | None = None, **options) -> str:
    events = logs.follow(run.id, 0, bench.places, **options)
    return "".join(event.text for event in events if stream in (None, event.stream))


def test_both_streams_arrive_in_order(bench):
    # A pause between them, as two pipes have no common clock.
    code = "for n in 1 2 3; do echo out $n; sleep 0.2; echo err $n >&2; sleep 0.2; done"
    run = bench.submit(["sh", "-c", code])
    events = list(logs.follow(run.id, 0, bench.places))
    assert [(event.stream, event.text) for event in events] == [
        (f"std{name}", f"{name} {number}\n") for number in (1, 2, 3) for name in ("out", "err")
    ]
    times = [event.time for event in events]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] < 30


def test_following_lags_little(bench, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    run = bench.submit(["sh", "-c", f"exec 3<{pipe}; while read line <&3; do echo $line; done"])
    events = logs.follow(run.id, 0, bench.places)
    lags = []
    with pipe.open("w", buffering=1) as writing:
        for number in range(5):
            began = time.monotonic()
            writing.write(f"{number}\n")
            assert next(events).text == f"{number}\n"
            lags.append(time.monotonic() - began)
    assert sorted(lags)[2] < 0.3
    assert list(events) == []


def test_python_prints_at_once(bench, tmp_path):
    digest = bench.code(main=f"print('now', end='')\nopen('{tmp_path}/go').read()\n")
    os.mkfifo(tmp_path / "go")
    run = bench.submit(["python", "main.py"], digest=digest)
    assert next(logs.follow(run.id, 0, bench.places)).text == "now"
    (tmp_path / "go").write_text("")
    bench.wait(run)


def test_bytes_that_are_no_text_survive(bench):
    data = bytes(range(256)) * 64 + "€𝄞".encode() * 5000
    code = f"import os, time\ndata = {data!r}\n"
    code += "for n in range(0, len(data), 777): os.write(1, data[n:n + 777])\n"
    run = bench.submit(["python", "main.py"], digest=bench.code(main=code))
    bench.wait(run)
    assert os.fsencode(text(bench, run)) == data


def test_progress_bars_are_kept_as_they_are(bench):
    run = bench.submit(["printf", r"1%%\r50%%\r100%%\n"])
    assert text(bench, run) == "1%\r50%\r100%\n"


def test_ten_megabytes_at_once_are_all_there(bench):
    line = "x" * 99
    run = bench.submit(["sh", "-c", f"yes {line} | head -n 100000"])
    manifest = bench.wait(run).indexes[0].manifest
    assert text(bench, run) == f"{line}\n" * 100_000
    assert manifest.usage.wall < 5
    chunks = list(bench.stored.glob("runs/*/0/1/log/*"))
    assert len(chunks) > 1


@pytest.mark.parametrize("tail", [0, 1, 3, 99, 1000])
def test_a_tail_is_so_many_lines(bench, tail):
    run = bench.submit(["sh", "-c", "seq 100"])
    bench.wait(run)
    expected = "".join(f"{n}\n" for n in range(1, 101)[-tail:]) if tail else ""
    assert text(bench, run, tail=tail) == expected


def test_a_tail_reaches_over_chunks_and_ends_without_a_newline(bench):
    run = bench.submit(["sh", "-c", "seq 1000000; printf end"])
    bench.wait(run)
    assert text(bench, run, tail=3) == "999999\n1000000\nend"


def test_without_following_it_ends_where_the_log_is_now(bench, tmp_path):
    run = bench.submit(["sh", "-c", f"echo before; read line < {tmp_path}/go; echo after"])
    os.mkfifo(tmp_path / "go")
    bench.until(lambda: text(bench, run, follow=False))
    assert text(bench, run, follow=False) == "before\n"
    (tmp_path / "go").write_text("\n")
    assert text(bench, run) == "before\nafter\n"


def test_a_tail_without_following_is_bounded_whatever_is_printed_meanwhile(bench, tmp_path):
    code = f"seq 9; read line < {tmp_path}/go; seq 10 9999; echo > {tmp_path}/went"
    for name in ("go", "went"):
        os.mkfifo(tmp_path / name)
    run = bench.submit(["sh", "-c", code])
    bench.until(lambda: text(bench, run, follow=False).endswith("9\n"))
    events = logs.follow(run.id, 0, bench.places, follow=False, tail=2)
    first = next(events).text
    (tmp_path / "go").write_text("\n")
    (tmp_path / "went").read_text()
    bench.wait(run)
    assert first + "".join(event.text for event in events) == "8\n9\n"


def test_following_goes_on_with_the_next_attempt(bench, tmp_path):
    code = f"echo try; test -e {tmp_path}/x && exit 0; echo $PPID > {tmp_path}/x; sleep 300"
    run = bench.submit(["sh", "-c", code], retries=1)
    events = logs.follow(run.id, 0, bench.places)
    assert next(events).text == "try\n"
    os.kill(bench.marked(tmp_path / "x"), 9)
    assert "".join(event.text for event in events) == "try\n"


def test_following_a_lost_run_ends(bench, tmp_path):
    run = bench.submit(["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 300"], grace=0.1)
    bench.marked(tmp_path / "pid")
    os.kill(int((bench.places.supervisor(run.id) / "lock").read_text()), 9)
    assert text(bench, run) == ""


def test_an_index_that_does_not_exist_is_unknown(bench):
    run = bench.submit(["true"])
    bench.wait(run)
    with pytest.raises(RunUnknown):
        list(logs.follow(run.id, 1, bench.places))


class Printing:
    """A run whose log is written by hand, in a store that grows; two chunks are there."""

    def __init__(self, bench) -> None:
        self.run = bench.run(["true"])
        runs = Runs.at(bench.places)
        runs.add(self.run)
        keys = RunKeys(self.run.id)
        self.log = AppendedChunks(runs.store, lambda chunk: keys.log(0, 1, chunk))
        self.written = 0
        self.print(3 * CHUNK // 2)

    def print(self, size: int) -> None:
        """Print so many bytes more, about."""
        line = json.dumps([0.0, "out", "x" * 99_999 + "\n"]).encode() + b"\n"
        for _ in range(-(-size // len(line))):
            self.log.write(line)
            self.written += 1


@pytest.mark.parametrize("options", [{}, {"tail": 1_000_000}])
def test_without_following_it_ends_though_it_is_printed_faster_than_it_is_read(bench, options):
    printing = Printing(bench)
    events = logs.follow(printing.run.id, 0, bench.places, follow=False, **options)
    begun = printing.written
    read = 0
    for event in events:
        read += 1
        assert event.text == "x" * 99_999 + "\n"
        assert read <= begun
        printing.print(CHUNK // 8)
    assert read == begun
    assert printing.written > 2 * begun


def test_without_following_a_line_that_is_being_written_is_left_out(bench):
    printing = Printing(bench)
    whole = printing.written
    printing.log.write(b'[0.0, "out", "ha')
    assert text(bench, printing.run, follow=False).count("\n") == whole
