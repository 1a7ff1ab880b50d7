"""GPUs that idle on a cluster: a driver's stand-in comes with the project, all else is real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import nvml
from tests.e2e.cluster.desk import Desk

DRIVER = "/workspace/driver"
ASKED = ["--gpu", "h100", "--idle-limit", "5%,1s", "--timeout", "5m"]
ASKED += ["--env", f"LD_LIBRARY_PATH={DRIVER}", "--env", f"{nvml.USE}={DRIVER}/use"]
# The stand-in has two GPUs, of which the run has one.
ASKED += ["--env", "CUDA_VISIBLE_DEVICES=0"]
PHASES = ("pulling", "starting", "running", "uploading")
MAIN = """\
import sys, time
open("result.txt", "w").write(sys.argv[1])
print("working", flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture
def driven(desk: Desk, tmp_path: Path) -> Desk:
    """A desk whose runs find a driver in their project, which says what its file `use` says."""
    desk.write("main.py", MAIN)
    (desk.project / "driver").mkdir()
    library = "libnvidia-ml.so.1"
    (nvml.build(tmp_path) / library).rename(desk.project / "driver" / library)
    desk.env["SENDOFF_PRICES"] = "h100=3600"
    return desk


def held(index: dict[str, Any]) -> float:
    """For how many seconds an index had its GPU."""
    return float(sum(index["phases"][name] for name in PHASES))


def test_a_pod_whose_gpu_idles_is_ended_and_said_to_be(driven: Desk) -> None:
    driven.write("driver/use", "2")
    done = driven("run", *ASKED, "--", "python", "main.py", "300")
    assert done.returncode == 125, done.stderr
    assert "failed for want of work for its GPUs" in done.stderr
    (listed,) = driven.json("ps", "--group", driven.group)
    run = listed["id"]
    index = driven.index(run)
    assert (index["state"], index["failure"]["code"]) == ("failed", "GPU_IDLE")
    assert (index["failure"]["blame"], index["failure"]["retryable"]) == ("user", False)
    # What it had written by then is there, and the cluster does not try once more.
    assert [file["path"] for file in index["files"]] == ["result.txt"]
    assert (index["attempts"], len(driven.site.of_run("pods", run))) == (1, 1)
    assert index["hardware"]["gpus"][0]["name"] == "NVIDIA H100"
    assert index["usage"]["gpu_busy"] == pytest.approx(0.02)
    logs = driven("logs", run)
    assert logs.stdout == "working\n"
    assert "warning: the GPU has been less than 5% busy for" in logs.stderr
    assert "ending the command: the GPU has been less than 5% busy for" in logs.stderr


def test_how_busy_pods_kept_their_gpus_is_in_the_bill(driven: Desk) -> None:
    indexes = []
    for use in ("80", "40"):
        driven.write("driver/use", use)
        run = driven.sent("run", *ASKED, "--", "python", "main.py", "2")
        driven.done("wait", run)
        indexes.append(driven.index(run))
        assert indexes[-1]["usage"]["gpu_busy"] == pytest.approx(int(use) / 100)
    bill = driven.json("cost", "--group", driven.group)
    (h100,) = bill["classes"]
    assert (bill["runs"], h100["gpu"], h100["indexes"]) == (2, "h100", 2)
    # A GPU that is held while its image is pulled does nothing all that time.
    worked = sum(each["usage"]["gpu_busy"] * each["usage"]["wall"] for each in indexes)
    seconds = sum(held(each) for each in indexes)
    assert h100["busy"] == pytest.approx(worked / seconds, abs=0.001)
    assert h100["busy"] > 0.01
    # At 3600 an hour a GPU-second costs 1.
    assert bill["cost"] == h100["cost"] == pytest.approx(seconds, abs=0.01)
    assert "% busy, " in driven("ps", "--group", driven.group).stderr
