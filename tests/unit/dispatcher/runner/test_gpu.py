"""GPU figures, asked of a driver that this test builds: the machine may have none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import nvml

ASK = """
import json, sys, time
from dispatcher.runner.gpu import Gpus
gpus = Gpus({visible!r})
deadline = time.monotonic() + 10
while len(gpus._busy) < 2 and time.monotonic() < deadline: time.sleep(0.01)
print(json.dumps([gpus.finish(), gpus.facts]))
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Path:
    return nvml.build(tmp_path_factory.mktemp("driver"))


def ask(driver: Path, visible: str | None):
    import json

    done = subprocess.run(
        [sys.executable, "-c", ASK.format(visible=visible)],
        env={"LD_LIBRARY_PATH": str(driver)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        check=True,
    )
    used, facts = json.loads(done.stdout)
    return used["gpu_busy"], used["gpu_memory_peak"], facts


def test_use_and_facts_of_every_gpu(driver):
    busy, peak, facts = ask(driver, None)
    assert busy == 0.5
    # Above what was in use at the first look, of both.
    assert peak >= 2 << 30
    assert facts == [{"name": "NVIDIA H100", "memory": 80 << 30, "driver": "550.54.14"}] * 2


@pytest.mark.parametrize(
    ("visible", "count"), [("1", 1), ("GPU-bb", 1), ("0,1", 2), ("all", 2), ("", 0)]
)
def test_only_what_the_command_can_see(driver, visible, count):
    if count:
        assert len(ask(driver, visible)[2]) == count


def test_a_machine_without_a_driver_has_none(tmp_path):
    code = (
        "from dispatcher.runner.gpu import Gpus\n"
        "gpus = Gpus(None); gpus._thread.join(); print(gpus.finish())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"LD_LIBRARY_PATH": str(tmp_path)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    if not Path("/dev/nvidiactl").exists():
        assert done.stdout == "{}\n"
