"""Pods that end before their time: faults 18 to 22 of the design's list, and cancelling."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path

import pytest

from dispatcher import dispatch, results
from dispatcher.errors import ResultUnknown
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.kubernetes.target import KubernetesTarget
from dispatcher.request import Data, Resources
from dispatcher.runner import exit_status
from tests.faults.faults import BlackHole
from tests.stack.site import NODE

GPUS = Resources(gpu="h100:2", cpus=0.1, memory=128 << 20)
SMALL = Resources(cpus=0.1, memory=96 << 20)
HUNGRY = "x = []\nwhile True: x.append(bytearray(10_000_000))"
LARGE = "open('big', 'wb').write(bytes(64_000_000)); open('small', 'w').write('1')"
# Says when it has started, and keeps something when it is told to end.
PATIENT = [
    "python3",
    "-c",
    (
        "import os, signal, sys, time\n"
        "if os.environ['SENDOFF_ATTEMPT'] != '1': print('again'); sys.exit(0)\n"
        "def end(*_):\n"
        "    open('saved.txt', 'w').write('so far'); print('flushed', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n"
        "time.sleep(300)\n"
    ),
]


def up(lab, run) -> None:
    lab.until(lambda: "up" in lab.log(run))


def test_preemption_flushes_and_leaves_the_budget_alone(lab, stack_alone):
    lab.apply(
        *(
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": f"{lab.namespace}-{name}"},
                "value": value,
            }
            for name, value in {"low": 1, "high": 1000}.items()
        )
    )
    low = lab.with_settings(priority_class=f"{lab.namespace}-low", spare=0)
    high = lab.with_settings(priority_class=f"{lab.namespace}-high")
    try:
        victim = low.submit(PATIENT, resources=GPUS, retries=0, grace=10.0)
        up(lab, victim)
        winner = high.submit(["sh", "-c", "echo first"], resources=GPUS)
        assert high.wait(winner).state == "succeeded", high.describe(winner)
        status = low.wait(victim)
        assert status.state == "succeeded", status
        assert status.indexes[0].attempts == 2
        first = lab.runs.store.get(f"runs/{victim.id}/0/1/interrupted.json")
        assert [each["path"] for each in json.loads(first)["files"]] == ["saved.txt"]
        log = lab.runs.store.get(f"runs/{victim.id}/0/1/log/000000.jsonl")
        assert b"up" in log
        (job,) = lab.objects("jobs", victim)
        assert job["status"].get("failedIndexes", "") == ""
    finally:
        stack_alone.kubectl(
            "delete", "priorityclass", f"{lab.namespace}-low", f"{lab.namespace}-high"
        )


def test_memory_that_is_used_up_is_named_with_advice(lab):
    run = lab.submit(["python3", "-c", HUNGRY], resources=SMALL)
    failure = lab.wait(run).indexes[0].failure
    assert failure.code == "OOM_HOST", failure
    assert "--memory" in failure.fix


def test_memory_that_is_used_up_unnoticed_by_the_command_is_no_success(lab):
    run = lab.submit(["sh", "-c", 'python3 -c "$0"; exit 0', HUNGRY], resources=SMALL)
    index = lab.wait(run).indexes[0]
    assert (index.state, index.exit_code) == ("failed", 0), index
    assert index.failure.code == "OOM_HOST", index.failure
    assert "the command itself exited with 0" in index.failure.evidence
    assert "--memory" in index.failure.fix


def test_memory_of_the_gpu_that_is_used_up_is_named_with_advice(lab):
    # As PyTorch ends: the nodes' GPUs here are labels, which have no memory to use up.
    words = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
    run = lab.submit(["python3", "-c", f"import sys; sys.exit({words!r})"])
    index = lab.wait(run).indexes[0]
    assert (index.state, index.exit_code) == ("failed", 1)
    assert (index.failure.code, index.failure.evidence) == ("OOM_GPU", (words,))
    assert "--gpu" in index.failure.fix


def runner_of(pod: dict) -> int:
    """The process id, on this machine, of the runner in a pod."""
    for process in Path("/proc").iterdir():
        try:
            inside = pod["metadata"]["uid"] in (process / "cgroup").read_text()
            if inside and b"/opt/sendoff/runner" in (process / "cmdline").read_bytes():
                return int(process.name)
        except (OSError, ValueError):
            continue
    return 0


def whole(lab, manifest) -> None:
    """What a manifest names is stored as it says."""
    for file in manifest.files:
        key = f"runs/{manifest.run}/{manifest.index}/{manifest.attempt}/files/{file.path}"
        data = lab.runs.store.get(key)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)


def kill_runner(lab, run) -> None:
    """As the kernel does when memory is short: no process of the pod itself could."""
    (pod,) = [each for each in lab.pods(run) if each["status"]["phase"] == "Running"]
    os.kill(lab.until(lambda: runner_of(pod)), signal.SIGKILL)


def test_a_runner_that_is_killed_is_no_attempt_of_the_user(lab):
    run = lab.submit(["sh", "-c", "echo up; sleep 300"], retries=0)
    up(lab, run)
    kill_runner(lab, run)
    status = lab.wait(run, timeout=90)
    assert status.indexes[0].failure.code == "KILLED"
    assert status.indexes[0].failure.blame == "infra"
    assert status.indexes[0].attempts == 1
    # Its runner left no word, so that the cluster's stamps have to do.
    phases = status.indexes[0].manifest.phases
    assert phases.queued is not None
    assert phases.pulling is not None
    assert phases.running is not None
    codes = {
        each["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]
        for each in lab.pods(run)
    }
    assert codes == {137, exit_status.SPENT}


def test_a_full_disk_of_the_pod_is_an_eviction(lab):
    small = lab.with_settings(scratch=4 << 20, spare=0)
    code = "import time; open('big', 'wb').write(bytes(64_000_000)); time.sleep(120)"
    run = small.submit(["python3", "-c", code])
    index = small.wait(run, timeout=90).indexes[0]
    failure = index.failure
    assert (index.state, failure.code, failure.blame) == ("failed", "EVICTED", "user"), failure
    assert "exceeds the limit" in "\n".join(failure.evidence)
    # What the second that it was given was enough for is kept, and nothing that is not whole.
    whole(lab, index.manifest)


def test_an_upload_that_an_eviction_cuts_off_stays_uncommitted(lab, before_store):
    small = lab.with_settings(scratch=4 << 20, spare=0).storing_through(before_store)
    stalled = before_store.on("PUT", "partNumber", BlackHole(), times=1_000, skip=1)
    run = small.submit(["python3", "-c", LARGE])
    index = small.wait(run, timeout=90).indexes[0]
    assert (index.state, index.failure.code) == ("failed", "EVICTED"), index
    assert stalled.met, "it was not in the middle of an upload"
    assert index.manifest.files == ()
    assert not lab.runs.store.has(f"runs/{run.id}/0/1/files/big")
    # What did arrive is no result either: nothing names it.
    assert lab.runs.store.has(f"runs/{run.id}/0/1/files/small")
    assert results.fetch(run.id, 0, lab.places, lab.places.cache / "got") == []
    with pytest.raises(ResultUnknown):
        results.read(run.id, 0, "small", lab.places)


def test_a_runner_that_is_killed_during_an_upload_leaves_no_result(lab, before_store):
    stalled = before_store.on("PUT", "/0/1/files/.*partNumber", BlackHole(), times=1_000, skip=1)
    run = lab.storing_through(before_store).submit(["python3", "-c", LARGE], retries=1)
    before_store.wait(lambda: bool(stalled.met), timeout=60)
    kill_runner(lab, run)
    status = lab.wait(run, timeout=90)
    assert (status.state, status.indexes[0].attempts) == ("succeeded", 2), status
    assert not lab.runs.store.has(f"runs/{run.id}/0/1/files/big")
    manifest = status.indexes[0].manifest
    assert {each.path: each.size for each in manifest.files} == {"big": 64_000_000, "small": 1}
    whole(lab, manifest)


def test_a_node_that_does_not_admit_the_pod_is_tried_again_and_bounded(lab):
    name = f"odd-{lab.namespace}"
    # A node without a kubelet: what that would do, the test does.
    lab.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    status = {
        "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"},
        "capacity": {"cpu": "4", "memory": "8Gi", "pods": "10"},
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}
        ],
    }
    patch = json.dumps({"status": status})
    lab.stack.kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", patch)
    labels = (f"hostname={name}", "os=linux", "arch=amd64")
    lab.stack.kubectl("label", "node", name, *(f"kubernetes.io/{each}" for each in labels))
    odd = lab.with_settings(
        node_selector={"kubernetes.io/hostname": name},
        tolerations=(
            Toleration(key="node.kubernetes.io/not-ready"),
            Toleration(key="node.kubernetes.io/unreachable"),
        ),
        spare=1,
    )
    refused: set[str] = set()
    try:
        run = odd.submit(["true"], retries=0)

        def refuse() -> bool:
            for pod in lab.pods(run):
                uid, called = pod["metadata"]["uid"], pod["metadata"]["name"]
                if pod["spec"].get("nodeName") and uid not in refused:
                    said = {
                        "phase": "Failed",
                        "reason": "UnexpectedAdmissionError",
                        "message": "Allocate failed due to no healthy devices present",
                    }
                    words = json.dumps({"status": said})
                    lab.kubectl(
                        "patch", "pod", called, "--subresource=status", "--type=merge", "-p", words
                    )
                    refused.add(uid)
            return dispatch.status(run.id, odd.places).final

        lab.until(refuse, seconds=90)
        failure = lab.index(run).failure
        assert failure.code == "UnexpectedAdmissionError", failure
        assert (failure.blame, failure.retryable) == ("infra", True)
        assert "no healthy devices" in "\n".join(failure.evidence)
        assert len(refused) == 2
    finally:
        lab.stack.kubectl("delete", "node", name)


def say_cpus(lab, count: int) -> None:
    """Have the real node's status say that it has so many."""
    status = json.dumps({"status": {"allocatable": {"cpu": str(count)}}})
    lab.stack.kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "-p", status)


def place_wrongly(lab, run, cpus: int, place: int) -> dict:
    """The so-many-th pod of a run, placed while the node's status was wrong; refused since.

    The kubelet, which goes by the status too, is held until it is right again.
    """
    lab.stack.pause("kubelet")
    try:
        say_cpus(lab, 1000)
        lab.until(lambda: len([x for x in lab.pods(run) if x["spec"].get("nodeName")]) == place)
    finally:
        say_cpus(lab, cpus)
        lab.stack.resume("kubelet")

    def refused() -> list[dict]:
        return [each for each in lab.pods(run) if each["status"]["phase"] == "Failed"]

    lab.until(lambda: len(refused()) == place)
    return max(refused(), key=lambda pod: pod["metadata"]["creationTimestamp"])


def test_a_pod_that_the_real_kubelet_has_no_room_for_is_tried_again_and_bounded(lab, stack_alone):
    path = "jsonpath={.status.allocatable.cpu}"
    cpus = int(stack_alone.kubectl("get", "node", NODE, "-o", path))
    here = lab.with_settings(node_selector={"kubernetes.io/hostname": NODE}, spare=1)
    say_cpus(lab, 1000)
    target = KubernetesTarget(here.places)
    run = lab.run(["true"], retries=0, resources=Resources(cpus=500, memory=128 << 20))
    try:
        target.admit(run.request)
    finally:
        say_cpus(lab, cpus)
    lab.sent.append(run.id)
    lab.runs.add(run)
    target.start(run)
    pods = [place_wrongly(lab, run, cpus, place) for place in (1, 2)]
    assert {each["status"]["reason"] for each in pods} == {"OutOfcpu"}
    status = here.wait(run)
    failure = status.indexes[0].failure
    assert failure.code == "OutOfcpu", failure
    assert (failure.blame, failure.retryable) == ("infra", True)
    assert "Node didn't have enough resource: cpu" in "\n".join(failure.evidence)
    assert len(lab.pods(run)) == 2


def test_a_node_that_vanishes_is_named_and_a_late_writer_changes_nothing(lab, stack_alone):
    run = lab.submit(["sh", "-c", "echo up; sleep 60; echo late > late.txt"])
    up(lab, run)
    stack_alone.stop("kubelet")
    failure = lab.until(lambda: lab.index(run).waiting, seconds=90)
    assert failure.code == "NODE_LOST"
    assert "localhost" in failure.message + "".join(failure.evidence)

    def stuck():
        found = lab.index(run).waiting
        return found and "is stuck" in found.message and found

    (pod,) = lab.pods(run)
    failure = lab.until(stuck, seconds=120)
    assert pod["metadata"]["name"] in failure.message
    assert "--force" in failure.fix
    assert lab.index(run).state == "running", "it may still bring its result"
    # Somebody gives it up; what the container commits later loses.
    dispatch.cancel(run.id, lab.places)
    lab.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
    assert lab.wait(run, timeout=30).state in ("cancelled", "succeeded")
    before = lab.runs.store.get(f"runs/{run.id}/0/manifest.json")
    stack_alone.start("kubelet")
    assert lab.runs.store.get(f"runs/{run.id}/0/manifest.json") == before


def test_a_cancelled_run_ends_and_keeps_what_it_wrote(lab):
    run = lab.submit(PATIENT, ["true"], max_parallel=1, grace=5.0)
    up(lab, run)
    dispatch.cancel(run.id, lab.places)
    status = lab.wait(run)
    assert [each.state for each in status.indexes] == ["cancelled", "cancelled"]
    kept = status.indexes[0].manifest
    assert [each.path for each in kept.files] == ["saved.txt"], f"{kept}\n{lab.describe(run)}"
    assert status.indexes[1].attempts == 0
    for kind in ("jobs", "pods", "secrets"):
        lab.until(lambda kind=kind: lab.objects(kind, run) == [])


def test_one_index_can_be_cancelled(lab):
    run = lab.submit(PATIENT, ["sh", "-c", "echo mine"], PATIENT, max_parallel=2)
    up(lab, run)
    dispatch.cancel(run.id, lab.places, 0)
    dispatch.cancel(run.id, lab.places, 2)
    states = [each.state for each in lab.wait(run).indexes]
    assert states == ["cancelled", "succeeded", "cancelled"]


def test_a_time_out_is_the_runners_and_keeps_what_was_written(lab):
    manifest = lab.end(PATIENT, timeout=1.0, grace=5.0)
    assert manifest.state == "timed-out"
    assert [each.path for each in manifest.files] == ["saved.txt"]


def test_a_deadline_ends_what_has_no_time_out(lab):
    run = lab.submit(PATIENT, grace=2.0)
    up(lab, run)
    # A start takes as long as it takes; only what has begun has something to keep.
    deadline = json.dumps({"spec": {"activeDeadlineSeconds": 1}})
    lab.kubectl("patch", "job", run.id, "--type=merge", "-p", deadline)
    status = lab.wait(run)
    assert status.state == "timed-out"
    assert status.indexes[0].failure.code == "DEADLINE"
    assert [each.path for each in status.indexes[0].manifest.files] == ["saved.txt"]


def test_a_commands_own_failure_is_not_tried_again(lab):
    run = lab.submit(["sh", "-c", "echo tried; exit 3"], ["true"], retries=3)
    status = lab.wait(run)
    assert [each.state for each in status.indexes] == ["failed", "succeeded"]
    assert (status.indexes[0].exit_code, status.indexes[0].attempts) == (3, 1)
    (job,) = lab.until(
        lambda: [
            each
            for each in lab.objects("jobs", run)
            if each["status"].get("failedIndexes") == "0"
            and each["status"].get("completedIndexes") == "1"
            and "failed" in each["status"]
        ]
    )
    assert job["status"]["failed"] == 1


def test_a_killed_pod_is_tried_again_as_often_as_was_asked(lab):
    run = lab.submit(PATIENT, retries=1)
    up(lab, run)
    kill_runner(lab, run)
    status = lab.wait(run, timeout=90)
    assert status.state == "succeeded"
    assert status.indexes[0].attempts == 2


def test_a_job_that_somebody_deletes_is_lost_and_said_to_be(lab):
    run = lab.submit(["sleep", "300"])
    lab.until(lambda: lab.index(run).state == "running")
    lab.kubectl("delete", "job", run.id, "--cascade=foreground")
    status = lab.wait(run)
    assert status.indexes[0].failure.code in ("JOB_GONE", "INTERRUPTED"), status


def test_pods_that_outlive_their_job_are_waited_for(lab):
    run = lab.submit(PATIENT, grace=5.0)
    up(lab, run)
    (pod,) = lab.pods(run)
    # As a garbage collector does that has not heard of the pods yet.
    lab.kubectl("delete", "job", run.id, "--cascade=orphan")
    lab.until(lambda: lab.objects("jobs", run) == [])
    assert lab.index(run).state == "running"
    lab.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
    status = lab.wait(run)
    assert [each.path for each in status.indexes[0].manifest.files] == ["saved.txt"]


def test_what_can_not_be_prepared_fails_for_good(lab):
    data = Data(sha256="0" * 64, size=1, path="data.bin")
    run = lab.submit(["true"], data=(data,), retries=3)
    status = lab.wait(run)
    assert status.indexes[0].state == "failed"
    assert len(lab.pods(run)) == 1
