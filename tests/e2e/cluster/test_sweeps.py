"""Several indexes of one run: in turn, side by side, several in a pod, and not all of them well."""

from __future__ import annotations

import itertools
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.e2e.cluster.desk import Desk, Gate
from tests.e2e.desk import until

# Index 1 fails; the first attempts of 2 and 3 go on until somebody ends them.
MIXED = """\
import os, signal, socket, sys
index, again = int(os.environ['SENDOFF_INDEX']), os.environ['SENDOFF_ATTEMPT'] != '1'
open(f'of-{index}.txt', 'w').write(f'again {again}')
os.write(1, f'index {index} again {again}\\n'.encode())
if index == 1:
    sys.exit(3)
if index > 1 and not again:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(open('saved.txt', 'w').write('so far') and 0))
    socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(1)
"""
COMMAND = ["--", "python", "main.py"]


def test_what_succeeded_is_kept_and_the_rest_is_tried_again(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", MIXED)
    asked = ["-p", "n=0..3", "--retries", "1", "--grace", "5"]
    run = desk.sent("sweep", *asked, *COMMAND, *gate.address, "{n}")
    gate.wait_for(2)
    objects = desk.site.objects()
    until(lambda: {f"runs/{run}/{n}/1/attempt.json" for n in (2, 3)} <= {*objects.keys()})
    taken, killed = (desk.site.pod(run, n) for n in (2, 3))
    desk.site.kubectl("delete", "pod", "--wait=false", taken["metadata"]["name"])
    _kill_runner(killed)
    assert desk("wait", run).returncode == 1
    indexes = desk.json("show", run)["indexes"]
    assert [each["state"] for each in indexes] == ["succeeded", "failed", "succeeded", "succeeded"]
    assert [each["attempts"] for each in indexes] == [1, 1, 2, 2]
    assert [each["exit_code"] for each in indexes] == [0, 3, 0, 0]
    fetched = desk.json("get", run, "of-*.txt", "-o", "got")
    texts = [(desk.project / each["path"]).read_text() for each in fetched]
    assert texts == ["again False", "again False", "again True", "again True"]
    assert desk.done("logs", f"{run}/3") == "index 3 again True\n"
    interrupted = json.loads(objects.read(f"runs/{run}/2/1/interrupted.json"))
    assert {file["path"] for file in interrupted["files"]} == {"of-2.txt", "saved.txt"}
    assert objects.read(f"runs/{run}/2/1/files/saved.txt") == b"so far"
    assert b"index 2 again False" in objects.read(f"runs/{run}/2/1/log/000000.jsonl")
    again = desk.json("rerun", run, "--failed")
    assert [each["command"][-1] for each in again["indexes"]] == ["1"]


def test_no_more_at_once_than_was_asked_for(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", gate.WAIT)
    asked = ["-p", "n=0..4", "--max-parallel", "2"]
    run = desk.sent("sweep", *asked, *COMMAND, *gate.address, "{n}")
    gate.wait_for(2)
    states = [each["state"] for each in desk.json("show", run)["indexes"]]
    assert sorted(states) == ["queued"] * 3 + ["running"] * 2
    gate.open()
    desk.done("wait", run)
    indexes = desk.json("show", run)["indexes"]
    started = sorted(each["started"] for each in indexes)
    ended = sorted(each["ended"] for each in indexes)
    assert all(second >= first for first, second in zip(ended, started[2:], strict=False))


def test_a_pod_works_through_several_inputs(desk: Desk) -> None:
    desk.write(
        "main.py",
        "import os, sys\n"
        "print(os.environ['SENDOFF_POD'], sys.argv[1])\n"
        "open('n.txt', 'x').write(sys.argv[1])\n"
        "sys.exit(sys.argv[1] == '4')\n",
    )
    run = desk.sent("sweep", "-p", "n=0..6", "--per-pod", "3", *COMMAND, "{n}")
    assert desk("wait", run).returncode == 1
    (job,) = desk.site.of_run("jobs", run)
    assert job["spec"]["completions"] == 3
    indexes = desk.json("show", run)["indexes"]
    assert [each["state"] for each in indexes] == ["succeeded"] * 4 + ["failed"] + ["succeeded"] * 2
    lines = [desk.done("logs", f"{run}/{n}").split() for n in range(7)]
    assert [line[1] for line in lines] == list("0123456")
    pods = [pod for pod, _ in itertools.groupby(line[0] for line in lines)]
    assert len(pods) == len(set(pods)) == 3
    fetched = desk.json("get", run, "n.txt", "-o", "got")
    assert [(desk.project / each["path"]).read_text() for each in fetched] == list("0123456")


def test_indexes_of_one_pod_are_cancelled_one_by_one(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", f"print('on', flush=True)\n{gate.WAIT}")
    asked = ["-p", "n=0..3", "--per-pod", "4", "--grace", "1"]
    run = desk.sent("sweep", *asked, *COMMAND, *gate.address, "{n}")
    gate.wait_for(1)
    # One that waits for its turn in the pod, and the one that has it.
    desk.done("cancel", f"{run}/2")
    desk.done("cancel", f"{run}/0")
    gate.wait_for(2)
    gate.open()
    assert desk("wait", run).returncode == 1
    states = [each["state"] for each in desk.json("show", run)["indexes"]]
    assert states == ["cancelled", "succeeded", "cancelled", "succeeded"]


def test_a_time_out_and_memory_that_runs_out_are_named(desk: Desk) -> None:
    desk.write(
        "main.py",
        "import sys, time\n"
        "held = bytearray(900 << 20) if sys.argv[1] == 'eat' else time.sleep(300)\n",
    )
    run = desk.sent("sweep", "-p", "what=eat,sleep", "--timeout", "10", *COMMAND, "{what}")
    assert desk("wait", run).returncode == 1
    eaten, slept = desk.json("show", run)["indexes"]
    assert eaten["failure"]["code"] == "OOM_HOST"
    assert "--memory" in eaten["failure"]["fix"]
    assert (slept["state"], slept["failure"]["code"]) == ("timed-out", "TIMEOUT")
    assert desk("rerun", f"{run}/1", "--timeout", "1").returncode == 124


def test_a_cancelled_sweep_ends_everywhere(desk: Desk, gate: Gate) -> None:
    desk.write("main.py", f"open('kept.txt', 'w').write('x')\n{gate.WAIT}")
    run = desk.sent("sweep", "-p", "n=0..2", "--grace", "1", *COMMAND, *gate.address, "{n}")
    gate.wait_for(3)
    desk.done("cancel", run)
    assert desk("wait", run).returncode == 1
    indexes = desk.json("show", run)["indexes"]
    assert {each["state"] for each in indexes} == {"cancelled"}
    assert [len(each["files"]) for each in desk.json("results", run)] == [1, 1, 1]
    until(lambda: desk.site.of_run("pods", run) == [], 60)


def _kill_runner(pod: Any) -> None:
    """End a pod's first process as the kernel does when memory runs out: nothing is told."""
    uid = pod["metadata"]["uid"]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            runner = b"/opt/sendoff/runner" in (folder / "cmdline").read_bytes()
            if runner and uid in (folder / "cgroup").read_text():
                os.kill(int(folder.name), signal.SIGKILL)
