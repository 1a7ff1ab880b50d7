"""What an attempt tells its store while the command runs."""

from __future__ import annotations

import json
import sys
from itertools import pairwise

import pytest

from dispatcher.runner import courier, s3_patience
from dispatcher.runner.backlog import Backlog
from dispatcher.runner.courier import Courier
from dispatcher.runner.keys import RunKeys
from tests.faults.faults import Answer, LoseAnswer

KEYS = RunKeys("test-run")
PRINTS = """
import sys, time
end = time.monotonic() + 10
while time.monotonic() < end:
    sys.stdout.write(f"{time.monotonic()}\\n")
    sys.stdout.flush()
    time.sleep(0.1)
"""


class Link:
    """A way to a store that is open."""

    def __init__(self, store) -> None:
        self.store = lambda: store


def announced(store, tmp_path, **record) -> Courier:
    """A courier of the first attempt, which has announced it and ended."""
    made = Courier(Link(store), KEYS, 0, 1, Backlog(str(tmp_path / "log")))
    made.start(record, lambda: None)
    made.settle(30)
    made.close()
    assert not made.failure
    return made


@pytest.fixture
def impatient(monkeypatch):
    """Calls give up after a moment, and are made again soon."""
    monkeypatch.setattr(s3_patience, "_PATIENCE", 0.3)
    monkeypatch.setattr(courier, "_PERIOD", 0.1)


@pytest.mark.usefixtures("impatient")
def test_an_announcement_whose_answer_was_lost_is_no_other_attempt(store, proxy, tmp_path):
    lost = proxy.on("PUT", "attempt.json", LoseAnswer())
    away = proxy.on("PUT", "attempt.json", Answer(503), times=8)
    made = announced(store, tmp_path, started="now")
    assert lost.met
    assert len(away.met) > 1
    assert made.attempt == 1
    assert store.names(KEYS.index(0)) == ["1"]


@pytest.mark.usefixtures("impatient")
def test_an_announcement_that_finds_anothers_after_a_fault_is_the_next_attempt(
    store, proxy, tmp_path
):
    store.put(KEYS.started(0, 1), b'{"started":"before"}')
    away = proxy.on("PUT", "attempt.json", Answer(503), times=8)
    made = announced(store, tmp_path, started="now")
    assert len(away.met) > 1
    assert made.attempt == 2
    assert store.get(KEYS.started(0, 1)) == b'{"started":"before"}'
    assert json.loads(store.get(KEYS.started(0, 2))) == {"started": "now", "attempt": 2}


def test_the_log_in_the_store_is_never_far_behind(pod, proxy):
    pod.code(main=PRINTS)
    assert pod.run([sys.executable, "main.py"], wait=120) == 0, pod.err
    sent = proxy.seen("PUT", "/log/")
    chunks = [
        [json.loads(line)[2] for line in pod.store.get(key).splitlines()]
        for key in sorted(pod.store.list(pod.key("0/1/log/")))
    ]
    oldest = [float(chunk[0].split()[0]) for chunk in chunks]
    late = [each.answered - printed for each, printed in zip(sent, oldest, strict=True)]
    assert max(late) < 5, late
    # By then a chunk comes every two seconds only, but for the last.
    pauses = [after.began - before.began for before, after in pairwise(sent)]
    assert max(pauses) > 1.5, pauses
