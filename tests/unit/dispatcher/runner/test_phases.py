"""Where the seconds of an attempt go, told by runners of this machine and of pods."""

from __future__ import annotations

import os
import time
from datetime import datetime

import pytest


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def test_an_index_waits_for_its_slot_and_every_second_is_in_one_phase(bench):
    # Images that this machine has not unpacked yet.
    digest = bench.code(environment={"fresh.py": f"made = {time.time_ns()}\n"}, main="pass")
    began = time.time()
    run = bench.submit(["sleep", "0.4"], ["sleep", "0.2"], digest=digest, max_parallel=1)
    first, second = (each.manifest.phases for each in bench.wait(run).indexes)
    whole = time.time() - began
    assert first.queued < 0.4 < second.queued
    assert second.queued >= first.running
    assert first.pulling == second.pulling > 0
    for phases, slept in ((first, 0.4), (second, 0.2)):
        assert phases.running >= slept - 0.05
        assert phases.starting > 0
        assert phases.uploading >= 0
        assert phases.queued + phases.held <= whole
    assert bench.end(["true"], digest=digest).phases.pulling == 0


def test_results_take_time_to_be_stored(bench):
    phases = bench.end(["sh", "-c", "head -c 200000000 /dev/zero > large"]).phases
    assert phases.uploading > 0.05


def test_what_never_ran_has_no_such_phase(bench):
    phases = bench.end(["no-such-program"]).phases
    assert phases.starting > 0
    assert (phases.running, phases.uploading) == (None, None)


def test_a_pod_knows_when_its_secret_was_mounted(pod):
    now = time.time()
    pod.tell(["sleep", "0.3"], ["sleep", "0.1"], per_pod=2, sent=now - 100)
    mounted(pod, now - 20)
    assert pod.end(pod.start()) == 0, pod.err
    first, second = (pod.manifest(index).phases for index in (0, 1))
    assert first.queued == pytest.approx(80, abs=0.1)
    assert first.pulling == pytest.approx(20 + time.time() - now, abs=10)
    assert 20 <= first.pulling < 30
    assert 0 < first.starting < 10
    assert first.running >= 0.25
    # The second one had its pod, and waited for the first one's end.
    assert second.pulling == 0
    assert second.queued >= 100 + first.starting + first.running
    assert second.starting < 10


def test_later_attempts_and_clocks_that_disagree_are_not_known(pod):
    now = time.time()
    pod.tell(["true"], sent=now - 100)
    mounted(pod, now - 20)
    assert pod.end(pod.start(SENDOFF_FAILURES="1")) == 0
    again = pod.manifest().phases
    assert again.queued is None
    assert again.pulling >= 20
    pod.tell(["true"], run="test-run-2", sent=now)
    assert pod.end(pod.start()) == 0
    (key,) = pod.store.list("runs/test-run-2/0/manifest.json")
    assert b'"queued"' not in pod.store.get(key)


def test_a_container_without_a_kubelet_is_told_what_its_image_took(pod):
    assert pod.run(["true"], sent=time.time() - 50, pulling=8.5) == 0
    phases = pod.manifest().phases
    assert phases.pulling == 8.5
    assert phases.queued == pytest.approx(41.5, abs=10)


def test_a_number_that_was_taken_was_of_an_earlier_attempt(pod):
    pod.store.put(pod.key("0/1/attempt.json"), b"{}")
    assert pod.run(["true"], sent=time.time() - 50, pulling=8.5) == 0
    phases = pod.manifest().phases
    assert (pod.manifest().attempt, phases.queued, phases.pulling) == (2, None, None)
    assert phases.running > 0


def mounted(pod, when: float) -> None:
    """Let the Secret look as if a kubelet had written it then."""
    folder = pod.config / "..2026_11_24"
    folder.mkdir()
    (pod.config / "..data").symlink_to(folder.name)
    os.utime(folder, (when, when))
