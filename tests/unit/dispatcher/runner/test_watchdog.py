"""A command whose GPUs have nothing to do, seen by a stand-in for the driver's library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher import logs
from dispatcher.request import IdleLimit
from dispatcher.run import Manifest
from tests import nvml

LIMIT = IdleLimit(share=0.05, seconds=1.5)


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Path:
    return nvml.build(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def variables(driver, tmp_path) -> dict[str, str]:
    """Of a command on a machine with two GPUs, and with a file that says how busy they are."""
    return {"LD_LIBRARY_PATH": str(driver), nvml.USE: str(tmp_path / "use")}


def log_of(bench, manifest: Manifest) -> str:
    events = logs.follow(manifest.run, 0, bench.places, follow=False)
    return "".join(event.text for event in events)


def test_it_is_ended_after_a_warning_and_what_it_saves_is_kept(bench, variables):
    code = "trap 'echo saved > checkpoint; exit 0' TERM; printf working; sleep 300 & wait"
    command = ["sh", "-c", f"echo 4 > ${nvml.USE}; {code}"]
    manifest = bench.end(command, environment=variables, idle_limit=LIMIT)
    assert (manifest.state, manifest.exit_code) == ("failed", 0)
    failure = manifest.failure
    assert (failure.code, failure.phase, failure.blame) == ("GPU_IDLE", "run", "user")
    assert not failure.retryable
    assert failure.message == "its GPUs were less than 5% busy for 1.5 s"
    assert failure.evidence[0].endswith("it ended when asked to")
    assert bench.output(manifest, "checkpoint") == b"saved\n"
    assert 1.5 <= manifest.usage.wall < 10
    assert manifest.usage.gpu_busy == pytest.approx(0.04)
    working, warning, ending = log_of(bench, manifest).splitlines()
    assert working == "working"
    assert warning.startswith("sendoff: warning: all 2 GPUs have been less than 5% busy for ")
    assert "it will be ended in " in warning
    assert ending.startswith("sendoff: ending the command: all 2 GPUs have been less than 5% busy")


def test_work_in_between_starts_the_time_anew(bench, variables):
    turn = f"echo 0 > ${nvml.USE}; sleep 1; echo 60 > ${nvml.USE}; sleep 0.8; "
    manifest = bench.end(["sh", "-c", turn * 2], environment=variables, idle_limit=LIMIT)
    assert manifest.state == "succeeded"
    assert log_of(bench, manifest).count("warning") <= 2


@pytest.mark.parametrize("limit", [LIMIT, None])
def test_a_driver_that_says_nothing_is_no_proof_and_no_limit_is_none(bench, variables, limit):
    said = "-1" if limit else "0"
    command = ["sh", "-c", f"echo {said} > ${nvml.USE}; sleep 2.5"]
    manifest = bench.end(command, environment=variables, idle_limit=limit)
    assert (manifest.state, log_of(bench, manifest)) == ("succeeded", "")


def test_a_command_that_sees_no_gpu_is_left_alone(bench, variables):
    hidden = {**variables, "CUDA_VISIBLE_DEVICES": ""}
    command = ["sh", "-c", f"echo 0 > ${nvml.USE}; sleep 2"]
    manifest = bench.end(command, environment=hidden, idle_limit=LIMIT)
    assert (manifest.state, manifest.usage.gpu_busy) == ("succeeded", None)


def test_in_a_pod_it_is_final_and_its_log_says_so(pod, variables):
    pod.environment = variables
    code = f"echo 0 > ${nvml.USE}; echo x > result; exec sleep 300"
    assert pod.run(["sh", "-c", code], idle_limit=[0.1, 1.2]) == 80
    manifest = pod.manifest()
    assert (manifest.failure.code, manifest.signal) == ("GPU_IDLE", "SIGTERM")
    assert [file.path for file in manifest.files] == ["result"]
    assert pod.err == pod.text("err")
    assert [line.split(":")[1].strip() for line in pod.err.splitlines()] == [
        "warning",
        "ending the command",
    ]


def test_silence_of_the_driver_breaks_a_row_of_samples(driver):
    # The clock alone is the test's own: ten seconds of it are not worth waiting for.
    code = (
        "import dispatcher.runner.gpu as gpu\n"
        "now = 100.0\n"
        "gpu.time = type('Clock', (), {'monotonic': staticmethod(lambda: now)})\n"
        "gpus = gpu.Gpus.__new__(gpu.Gpus)\n"
        "gpus.idle_share, gpus._seen, gpus._idle_since = 0.05, 0.0, None\n"
        "told = [gpus.idle()]\n"
        "for now, busiest in [(100, 0), (101, 0.04), (109, 0), (140, 0), (141, 0), (142, 0.05)]:\n"
        "    gpus._note(busiest)\n"
        "    told.append(gpus.idle())\n"
        "gpus._note(0); now = 160\n"
        "print([*told, gpus.idle()])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LD_LIBRARY_PATH": str(driver)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[0.0, 0, 1, 9, 0, 1, 0.0, 0.0]\n"
