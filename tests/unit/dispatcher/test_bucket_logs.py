"""Logs and results of a pod, read by a client from the bucket alone."""

from __future__ import annotations

import fcntl
import os
import time

import msgspec
import pytest

from dispatcher import logs, results
from dispatcher.errors import ResultAltered, ResultUnknown
from dispatcher.run import Run, new_id
from dispatcher.store import Runs
from tests import pod as pods
from tests.faults.faults import Answer, CutAnswer
from tests.unit.dispatcher.test_store import RUN


class Sent:
    """A run that is under way in a pod."""

    def __init__(self, run: Run, pod: pods.Pod, places) -> None:
        self.run, self.pod, self.places = run, pod, places

    def start(self, command: list[str], **environment: str):
        self.pod.tell(command, run=self.run.id)
        return self.pod.start(**environment)

    def work(self, command: list[str]) -> None:
        self.pod.end(self.start(command))

    def text(self, **options) -> str:
        events = logs.follow(self.run.id, 0, self.places, **options)
        return "".join(event.text for event in events)


@pytest.fixture
def sent(bucket, tmp_path):
    run = msgspec.structs.replace(RUN, id=new_id("test"))
    runs = Runs.at(bucket)
    runs.add(run)
    # As long as somebody holds it, the run is looked after.
    folder = bucket.supervisor(run.id)
    folder.mkdir(parents=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    yield Sent(run, pods.make(tmp_path / "pod", bucket.store, runs.store), bucket)
    os.close(lock)


@pytest.fixture(autouse=True)
def folder_of_the_pod(tmp_path):
    (tmp_path / "pod").mkdir()


def test_a_log_is_followed_and_is_at_most_five_seconds_behind(sent):
    code = "import time\nfor n in range(14): print(time.monotonic()); time.sleep(0.5)\n"
    sent.pod.code(main=code)
    process = sent.start(["python", "main.py"])
    lags = []
    for event in logs.follow(sent.run.id, 0, sent.places):
        now = time.monotonic()
        lags += [now - float(line) for line in event.text.split()]
    assert sent.pod.end(process) == 0, sent.pod.err
    assert len(lags) == 14
    assert max(lags) < 5
    assert sent.text() == sent.pod.out
    # The first line is not kept waiting.
    assert lags[0] < 3


def test_a_long_log_comes_in_chunks(sent):
    line = "x" * 99
    sent.work(["sh", "-c", f"yes {line} | head -n 100000"])
    chunks = Runs.at(sent.places).store.names(f"runs/{sent.run.id}/0/1/log/")
    assert 2 < len(chunks) < 20
    assert sent.text() == sent.text(follow=False) == f"{line}\n" * 100_000


@pytest.mark.parametrize("tail", [0, 1, 3, 250_000, 1_000_000])
def test_a_tail_is_so_many_lines(sent, tail):
    sent.work(["sh", "-c", "seq 200000; printf end"])
    everything = [f"{n}\n" for n in range(1, 200_001)] + ["end"]
    expected = "".join(everything[-tail:]) if tail else ""
    assert sent.text(tail=tail) == sent.text(tail=tail, follow=False) == expected


def test_bytes_that_are_no_text_survive(sent):
    data = bytes(range(256)) * 64 + "€𝄞".encode() * 5000
    code = f"import os\ndata = {data!r}\n"
    sent.pod.code(main=code + "for n in range(0, len(data), 777): os.write(1, data[n:n + 777])\n")
    process = sent.start(["python", "main.py"])
    raw = process.stdout.buffer.read()
    sent.pod.end(process)
    assert raw == data
    assert os.fsencode(sent.text()) == data


def test_following_goes_on_with_the_next_attempt(sent):
    sent.pod.store.put(f"runs/{sent.run.id}/0/1/log/000000.jsonl", b'[0.0,"out","first\\n"]\n')
    events = logs.follow(sent.run.id, 0, sent.places)
    assert next(events).text == "first\n"
    process = sent.start(["echo", "second"], SENDOFF_FAILURES="1")
    assert "".join(event.text for event in events) == "second\n"
    assert sent.pod.end(process) == 0


def test_a_store_that_is_away_for_a_while_loses_no_line(sent, proxy):
    code = "import sys\nfor n in range(300_000): print('line', n)\nsys.stdin\n"
    go = sent.pod.folder / "go"
    sent.pod.code(
        main=code + f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)"
    )
    process = sent.start(["python", "main.py"])
    proxy.wait(lambda: bool(proxy.seen("PUT", "/log/")))
    proxy.refuse()
    time.sleep(0.5)
    go.touch()
    proxy.heal()
    assert sent.pod.end(process) == 0, sent.pod.err
    assert sent.text() == "".join(f"line {n}\n" for n in range(300_000))


def test_results_are_fetched_and_verified(sent, proxy, tmp_path):
    sent.work(["sh", "-c", "mkdir d; for n in 1 2 3 4 5 6 7 8 9; do echo $n > d/$n; done"])
    proxy.on("GET", "/files/d/3", CutAnswer(after=1), times=2)
    proxy.on("GET", "/files/d/4", Answer(503))
    fetched = results.fetch(sent.run.id, 0, sent.places, tmp_path / "to")
    assert [path.read_text() for path in fetched] == [f"{n}\n" for n in range(1, 10)]
    assert results.read(sent.run.id, 0, "d/7", sent.places) == b"7\n"
    for path, opener in results.openers(sent.run.id, 0, sent.places):
        with opener() as stream:
            assert stream.readline() == path[2:].encode() + b"\n"
    with pytest.raises(ResultUnknown):
        results.fetch(sent.run.id, 0, sent.places, tmp_path / "to", ["*.png"])


def test_an_altered_result_is_refused_and_leaves_nothing(sent, tmp_path):
    sent.work(["sh", "-c", "for n in 1 2 3; do echo $n > $n; done"])
    store, key = Runs.at(sent.places).store, f"runs/{sent.run.id}/0/1/files/2"
    store.put(key, b"9\n")
    with pytest.raises(ResultAltered, match="sha256"):
        results.fetch(sent.run.id, 0, sent.places, tmp_path / "to")
    assert not (tmp_path / "to/2").exists()
    assert not list((tmp_path / "to").glob(".*"))


def test_nothing_is_written_by_reading(sent, proxy, tmp_path):
    sent.work(["sh", "-c", "echo 1; echo 2 > x"])
    proxy.forget()
    results.fetch(sent.run.id, 0, sent.places, tmp_path / "to")
    assert sent.text(tail=1) == "1\n"
    Runs.at(sent.places).all()
    assert {each.method for each in proxy.log} <= {"GET", "HEAD"}
