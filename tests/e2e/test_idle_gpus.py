"""GPUs that idle, and what runs took: by the command line, on a machine with a stand-in driver."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import nvml
from tests.e2e import sandboxes
from tests.e2e.sandboxes import TOOLS

PATIENCE = 60
MAIN = """\
import os, sys, time
use, seconds = sys.argv[1:]
open(os.environ["STAND_IN_USE"], "w").write(use)
open("result.txt", "w").write(use)
print("working", flush=True)
time.sleep(float(seconds))
"""


class Place:
    """A project on a machine with two GPUs, and the command line in it."""

    def __init__(self, root: Path, driver: Path) -> None:
        self.project = root / "project"
        self.project.mkdir()
        (self.project / "main.py").write_text(MAIN)
        (self.project / "sendoff.toml").write_text(
            "[env]\n"
            f'LD_LIBRARY_PATH = "{driver}"\n'
            f'{nvml.USE} = "{root}/use"\n'
            "[prices]\nh100 = 3600\n"
        )
        ours = ("SENDOFF", "XDG", "VIRTUAL")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        sandbox = sandboxes.empty(root / "venv")
        self.env = {
            **kept,
            "SENDOFF_WARM": "0",
            "HOME": str(root),
            "VIRTUAL_ENV": str(sandbox),
            "PATH": f"{sandbox}/bin:{TOOLS}:/usr/bin:/bin",
        }

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TOOLS / "sendoff", *words],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def json(self, *words: str) -> Any:
        verb, *others = words
        return json.loads(self(verb, "--json", *others).stdout)

    def attempt(self, run: str, number: int) -> int:
        """The process of an attempt's runner, once its command is at work."""
        folder = Path(self.env["HOME"]) / f".local/share/sendoff/store/runs/{run}/0/{number}"

        def at_work() -> bool:
            log = folder / "log/000000.jsonl"
            return log.exists() and "working" in log.read_text()

        until(at_work)
        pid: int = json.loads((folder / "attempt.json").read_text())["pid"]
        return pid


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    driver = nvml.build(tmp_path_factory.mktemp("driver"))
    return Place(tmp_path_factory.mktemp("place"), driver)


def test_a_run_whose_gpus_idle_is_ended_and_said_to_be(place: Place) -> None:
    asked = ["--gpu", "h100:2", "-g", "idle", "--idle-limit", "5%,1s"]
    done = place("run", *asked, "--", "python", "main.py", "2", "300")
    assert done.returncode == 125, done.stderr
    assert "for want of work for its GPUs" in done.stderr
    assert "warning: all 2 GPUs have been less than 5% busy" in done.stderr
    (index,) = place.json("show", "@last")["indexes"]
    assert (index["state"], index["failure"]["code"]) == ("failed", "GPU_IDLE")
    assert [file["path"] for file in index["files"]] == ["result.txt"]
    # The first samples may be of the time before the command said how busy it is.
    assert 0.02 <= index["usage"]["gpu_busy"] < 0.4
    shown = place("show", "@last").stdout
    assert "idle limit   less than 5% busy for 1.0 s" in shown
    assert re.search(r"^  gpu        \d+% busy, ", shown, re.MULTILINE)
    assert re.search(r"^  spent      queued .* running .* uploading ", shown, re.MULTILINE)
    assert "  failure    GPU_IDLE: its GPUs were less than 5% busy for 1 s" in shown
    assert "--idle-limit" in shown
    request = place.json("show", "@last")["request"]
    assert request["idle_limit"] == {"share": 0.05, "seconds": 1}


def test_what_busy_and_idle_runs_took_is_added_up(place: Place) -> None:
    for use in ("80", "40"):
        asked = ["--gpu", "h100:2", "-g", "busy", "--idle-limit", "5%,1s"]
        done = place("run", *asked, "--", "python", "main.py", use, "1.5")
        assert done.returncode == 0, done.stderr
    assert place("run", "-g", "busy", "--", "python", "main.py", "0", "0").returncode == 0
    bill = place.json("cost", "--group", "busy")
    cpu, h100 = bill["classes"]
    assert (bill["runs"], cpu["indexes"], h100["indexes"]) == (3, 1, 2)
    seconds = h100["seconds"]
    assert seconds["running"] >= 3
    held = sum(seconds[name] for name in ("pulling", "starting", "running", "uploading"))
    assert h100["gpu_hours"] == pytest.approx(2 * held / 3600)
    # At 3600 an hour a GPU-second costs 1.
    assert bill["cost"] == h100["cost"] == pytest.approx(2 * held)
    assert 0.2 < h100["busy"] <= 0.6
    table = place("cost", "-g", "busy").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["class", "cpu", "h100", "all"]
    listed = place("ps", "-g", "busy")
    assert listed.stderr.startswith("h100: 0.00")
    assert "% busy, " in listed.stderr
    assert [run["usage"]["gpu_hours"] > 0 for run in place.json("ps", "-g", "busy")] == [
        False,
        True,
        True,
    ]
    one = place.json("cost", "@last")
    assert (one["runs"], one["gpu_hours"], one["cost"]) == (1, 0, 0)
    assert place("cost", "-g", "none").stderr == "no runs like that\n"


def test_attempts_before_the_last_count_where_they_left_word(place: Place) -> None:
    asked = ["--gpu", "h100", "-g", "again", "--retries", "2", "-d"]
    run = place("run", *asked, "--", "python", "main.py", "50", "300").stdout.strip()
    # The first is ended from outside and leaves word, the second is killed and does not.
    os.kill(place.attempt(run, 1), signal.SIGTERM)
    os.kill(place.attempt(run, 2), signal.SIGKILL)
    place.attempt(run, 3)
    so_far = place.json("cost", run)
    assert so_far["classes"][0]["indexes"] == 2
    assert place("cancel", run).returncode == 0
    place("wait", run)
    bill = place.json("cost", "-g", "again")
    assert (bill["classes"][0]["indexes"], bill["unknown_attempts"]) == (2, 1)
    assert bill["gpu_hours"] > 0
    assert "1 earlier attempts left no word" in place("cost", "-g", "again").stderr


def test_a_limit_that_is_none_is_refused(place: Place) -> None:
    done = place("run", "--idle-limit", "10m", "--", "python", "main.py", "0", "0")
    assert done.returncode != 0
    assert 'write it as "5%,10m"' in done.stderr
