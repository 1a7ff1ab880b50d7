"""What is said while a run waits, and how often."""

from __future__ import annotations

import pytest

from dispatcher.run import Failure, State
from dispatcher.status import IndexStatus, of_run
from sendoff import outcome
from sendoff.terminal.console import Console
from sendoff.terminal.waiting import Waiting


def status(
    state: State = "queued", code: str = "", message: str = "", index: int = 0
) -> IndexStatus:
    trouble = Failure(
        code=code,
        phase="schedule",
        blame="capacity",
        retryable=True,
        message=message,
        evidence=("first", "0/3 nodes are available"),
        fix="sendoff gpus",
    )
    return IndexStatus(index=index, state=state, waiting=trouble if code else None)


@pytest.fixture
def waiting() -> Waiting:
    return Waiting(Console())


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert not out
    return err.splitlines()


def test_a_line_for_each_cause(waiting: Waiting, capsys) -> None:
    queued = status(code="QUEUED", message="no h100 is free (0 of 2)")
    for _ in range(3):
        waiting.index(queued)
    waiting.index(status(code="STARTING", message="node-1 pulls the image"))
    waiting.index(status("running"))
    waiting.index(status("running"))
    first, second, third = lines(capsys)
    assert first == "queued: no h100 is free (0 of 2); 0/3 nodes are available"
    assert second == "queued: node-1 pulls the image; 0/3 nodes are available"
    assert third.startswith("started after ")


def test_a_run_that_starts_at_once_is_not_spoken_of(waiting: Waiting, capsys) -> None:
    for each in (status(), status("running"), status("succeeded")):
        waiting.index(each)
    assert lines(capsys) == []


def test_what_needs_somebody_says_what_to_do(waiting: Waiting, capsys) -> None:
    waiting.index(status(code="IMAGE_PULL", message="the image is not there"))
    assert lines(capsys) == [
        "queued: the image is not there; 0/3 nodes are available; sendoff gpus"
    ]


def test_of_several_indexes_what_most_of_them_wait_for(waiting: Waiting, capsys) -> None:
    rare = status(code="STARTING", message="node-1 starts the pod")
    common = [status(code="QUEUED", message="no h100 is free", index=n) for n in (1, 2)]
    running = status("running", index=3)
    waiting.run(of_run("r", [rare, *common, running]))
    # One fewer waits for the same: that is no news.
    waiting.run(of_run("r", [rare, common[0], status("running", index=2), running]))
    waiting.run(of_run("r", [status("running", index=n) for n in range(4)]))
    said = lines(capsys)
    assert said[0] == "3 of 4 wait: no h100 is free; 0/3 nodes are available"
    assert len(said) <= 2


def test_the_sentence_of_an_index_that_waits() -> None:
    assert outcome.sentence(status(code="QUEUED", message="no h100 is free")) == (
        "queued: no h100 is free"
    )
    assert outcome.sentence(status()) == "queued"
