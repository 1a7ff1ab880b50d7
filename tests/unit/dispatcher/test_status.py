from __future__ import annotations

import pytest

from dispatcher import diagnosis, status
from dispatcher.run import Manifest
from packer.digest import Digest

DIGEST = Digest.of(b"")
STARTED = status.Started(run="r", index=0, attempt=2, digest=DIGEST, started="t", host="h", pid=1)
LOST = diagnosis.of_supervisor("run", "Traceback\nMemoryError")


def manifest(state: str) -> Manifest:
    return Manifest(
        run="r", index=0, attempt=1, digest=DIGEST, command=("x",), state=state, exit_code=0
    )


@pytest.mark.parametrize(
    ("committed", "started", "lost", "state"),
    [
        (None, None, None, "queued"),
        (None, STARTED, None, "running"),
        (None, None, LOST, "lost"),
        (None, STARTED, LOST, "lost"),
        ("failed", STARTED, None, "failed"),
        ("succeeded", STARTED, LOST, "succeeded"),
    ],
)
def test_an_index(committed, started, lost, state):
    found = status.of_index(0, manifest(committed) if committed else None, started, lost)
    assert found.state == state
    assert found.final is (state not in ("queued", "running"))
    assert found.failure == (lost if state == "lost" else None)


@pytest.mark.parametrize(
    ("indexes", "state"),
    [
        (["queued", "queued"], "queued"),
        (["queued", "running"], "running"),
        (["queued", "succeeded"], "running"),
        (["succeeded", "succeeded"], "succeeded"),
        (["succeeded", "cancelled"], "cancelled"),
        (["cancelled", "lost", "timed-out"], "timed-out"),
        (["timed-out", "failed", "succeeded"], "failed"),
    ],
)
def test_a_run(indexes, state):
    found = [status.IndexStatus(index=n, state=name) for n, name in enumerate(indexes)]
    assert status.of_run("r", found).state == state


@pytest.mark.parametrize(
    ("log", "full"),
    [("OSError: [Errno 28] No space left on device", ""), ("", "/state/runs/run")],
)
def test_a_run_that_was_lost_to_a_full_disk_says_so(log, full):
    lost = diagnosis.of_supervisor("run", log, full)
    assert (lost.code, lost.phase, lost.blame) == ("DISK_FULL", "storage", "infra")
    assert (full or log) in lost.evidence[0]
    assert "export SENDOFF_STATE=DIR" in lost.fix


def test_a_runner_that_was_killed_comes_with_its_limit():
    failure = diagnosis.of_runner("run", -9, "", memory=100)
    assert "limited to 100 bytes" in failure.message
    assert failure.fix.endswith("--memory …")
    assert "limited" not in diagnosis.of_runner("run", -9, "").message
    assert "limited" not in diagnosis.of_runner("run", -15, "", memory=100).message


def test_a_lost_run_shows_what_its_supervisor_said_last():
    assert LOST.evidence == ("Traceback", "MemoryError")
    assert LOST.retryable
