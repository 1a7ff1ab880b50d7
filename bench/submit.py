"""From a request to the first line of its command, and runs of very many inputs.

    python -m bench cluster

Needs what `make stack` needs; a stack that runs already is used.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench import cluster, sandbox
from bench.cluster import Cluster, again
from bench.measure import Row, Timing, alone, limit, ms
from dispatcher import dispatch, logs
from dispatcher.dispatch import RunStatus
from dispatcher.run import Run
from tests.stack import lifecycle
from tests.stack.processes import until
from tests.stack.unavailable import Unavailable

RUNS = 15
LINE = ("date", "+%s.%N")
SLOWER = 0.15
"""Seconds that a submission may take longer than kubectl's."""
AHEAD = 1.0
TOGETHER = 3
"""How many times as fast short inputs are to be several in a pod."""
MEMORY = 200e6


def rows(folder: Path) -> list[Row]:
    try:
        with lifecycle.borrowed() as stack:
            return everything(Cluster(stack, folder))
    except Unavailable as reason:
        return [Row("runs in a cluster", "not measured", str(reason), "a stack", met=False)]


def everything(there: Cluster) -> list[Row]:
    measured = [*first_line(there), *many_inputs(there), *in_one_pod(there)]
    # In a store of its own, since `ps` would look at all the runs before it as well.
    return [*measured, *ten_thousand(Cluster(there.stack, there.folder / "many"))]


def first_line(there: Cluster) -> list[Row]:
    """Both sides in turn, each alone on the node, their image there already."""
    run = there.prepared(*LINE)
    image = f"{run.request.repository}@{run.request.inputs[0].digest}"
    ours, whole, peer, without, ahead = [], [], [], [], []

    def commanding(more: dict[str, str]) -> Callable[[], float]:
        return lambda: by_command(there, more)

    with sandbox.warm(there.folder / "warm", commanding) as variables:
        for turn in range(RUNS + 1):
            started = in_process(there, run)
            commanded = by_command(there, variables)
            bare = by_kubectl(there, image, token=True)
            lightest = by_kubectl(there, image, token=False)
            if turn:
                ours.append(started[0])
                ahead.append(started[1])
                whole.append(commanded)
                peer.append(bare)
                without.append(lightest)
    goal = Timing(tuple(peer)).median + SLOWER
    kubectl = f"kubectl apply: {ms(Timing(tuple(peer)).median)}"
    kubectl += f" ({ms(Timing(tuple(without)).median)} with no volume at all)"
    earlier = Timing(tuple(ahead)).median
    return [
        _beside("submit → first line of the command", ours, kubectl, goal),
        _beside("`sendoff run`, nothing changed → the same", whole, kubectl, goal),
        Row(
            "the result is in hand before the Job says Complete by",
            ms(earlier),
            "",
            f"≥ {ms(AHEAD)}",
            earlier >= AHEAD,
        ),
    ]


def in_process(there: Cluster, run: Run) -> tuple[float, float]:
    """Seconds to the first line, and from the result to the Job's own word."""
    sent, began = again(run), time.time()
    dispatch.submit(sent, there.places)
    (status,) = dispatch.wait([sent.id], there.places)
    had = time.time()
    line = "".join(event.text for event in logs.follow(sent.id, 0, there.places, follow=False))
    if status.state != "succeeded":
        raise RuntimeError(f"{status}")
    complete = _complete(there, sent.id)
    there.remove(sent.id)
    _gone(there, sent.id)
    return float(line) - began, complete - had


def by_command(there: Cluster, more: Mapping[str, str]) -> float:
    """Seconds to the first line, by the whole command with these variables besides."""
    env, began = {**os.environ, **more}, time.time()
    done = subprocess.run(
        [sandbox.SENDOFF, "run", "--name", cluster.NAME, "--quiet", "--json", "--", *LINE],
        cwd=there.project,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    line = done.stderr.strip().splitlines()[0]
    name = json.loads(done.stdout)["id"]
    there.remove(name)
    _gone(there, name)
    return float(line) - began


def by_kubectl(there: Cluster, image: str, *, token: bool) -> float:
    """Seconds to the first line of a bare Job.

    As Kubernetes makes it, it has the volume of its account's token: for any volume at all the
    kubelet takes 0.3 s, the interval in which it looks (volume_manager.go).
    """
    name = f"bare-{os.urandom(4).hex()}"
    container = {
        "name": "main",
        "image": image,
        "command": list(LINE),
        "resources": {
            "requests": {"cpu": "500m", "memory": "128Mi"},
            "limits": {"memory": "128Mi"},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": token,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65_532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }
    text, began = json.dumps(job), time.time()
    there.kubectl("apply", "-f", "-", stdin=text)
    _complete(there, name)
    line = there.kubectl("logs", f"job/{name}")
    there.remove(name)
    _gone(there, name)
    return float(line) - began


def many_inputs(there: Cluster) -> list[Row]:
    """Accepted: the record, the Job and its Secret are made."""
    cluster.simulate(there.stack)
    run = there.prepared("true")
    measured = []
    for count, seconds in ((1_000, 0.1), (10_000, 0.5)):
        runs = iter([again(run, count) for _ in range(7 + 2)])
        sent: list[Run] = []

        def tidy(sent: list[Run] = sent) -> None:
            for each in sent:
                there.remove(each.id)
                _gone(there, each.id)
            sent.clear()

        def send(runs: Iterator[Run] = runs, sent: list[Run] = sent) -> None:
            sent.append(dispatch.submit(next(runs), there.simulated(parallel=1)))

        timing = alone(send, before=tidy, runs=7)
        tidy()
        measured.append(limit(f"a map over {count:,} inputs, packed → accepted", timing, seconds))
    return measured


def in_one_pod(there: Cluster) -> list[Row]:
    """Short inputs, a pod for each against several in a pod."""
    run, seconds = there.prepared("true"), []
    for per_pod in (10, 1):
        sent, began = again(run, 40, per_pod=per_pod, max_parallel=4), time.monotonic()
        dispatch.submit(sent, there.places)
        dispatch.wait([sent.id], there.places)
        seconds.append(time.monotonic() - began)
        there.remove(sent.id)
        _gone(there, sent.id)
    factor = seconds[1] / seconds[0]
    what = "40 short inputs, ten in a pod, 4 pods at once"
    return [
        Row(
            what,
            f"{ms(seconds[0])}, {factor:.1f} ×",
            f"one in a pod: {ms(seconds[1])}",
            f"≥ {TOGETHER} ×",
            factor >= TOGETHER,
        )
    ]


def ten_thousand(there: Cluster) -> list[Row]:
    """`ps` and `wait` while 10,000 indexes run, and when they have ended."""
    count = 10_000
    sent = dispatch.submit(again(there.prepared("true"), count), there.simulated())

    def running() -> bool:
        job = there.stack.api.get(f"/apis/batch/v1/namespaces/{there.namespace}/jobs/{sent.id}")
        return int(job["status"].get("ready", 0)) == count

    try:
        if not until(running, 900):
            raise RuntimeError("the pods did not start")
        listed, quick = _listings(there, "running")
        waited = measured([sandbox.SENDOFF, "wait", "--timeout", "10", sent.id], there)
        looks = refreshes(there, sent)
        dispatch.cancel(sent.id, there.places)
        dispatch.wait([sent.id], there.places)
        # That the cluster ends thousands of pods is not what is measured.
        _gone(there, sent.id)
        after, soon = _listings(there, "ended")
    finally:
        there.remove(sent.id)
    return [
        limit("`sendoff ps` while 10,000 indexes run, the whole command", quick, 1),
        limit("a look at 10,000 indexes that run, in `wait`", Timing(tuple(looks)), 1),
        _memory("`sendoff ps` then", listed),
        _memory("`sendoff wait` then", waited[1]),
        limit("`sendoff ps` when they have all ended, the whole command", soon, 1),
        _memory("`sendoff ps` then", after),
    ]


def _listings(there: Cluster, when: str) -> tuple[int, Timing]:
    """Peak memory of a `ps` that does all by itself, and how long one takes that is kept warm."""

    def listing(more: dict[str, str]) -> Callable[[], tuple[float, int]]:
        return lambda: measured([sandbox.SENDOFF, "ps"], there, more)

    peak = listing({"SENDOFF_WARM": "0"})()[1]
    with sandbox.warm(there.project.parent / f"warm-{when}", listing) as variables:
        return peak, Timing(tuple(listing(variables)()[0] for _ in range(5)))


def refreshes(there: Cluster, run: Run) -> list[float]:
    """Seconds of single looks at the whole run."""
    from dispatcher.observer import Observer

    seconds = []
    with Observer(run.id, there.places) as observer:
        for _ in range(5):
            began = time.monotonic()
            status: RunStatus = observer.all()
            seconds.append(time.monotonic() - began)
            if status.final:
                raise RuntimeError(f"{run.id} has ended")
    return seconds


def measured(
    command: list[str], there: Cluster, variables: Mapping[str, str] | None = None
) -> tuple[float, int]:
    """Seconds and peak memory in bytes of a process."""
    began = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=there.project,
        env={**os.environ, **(variables or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 124):
        raise RuntimeError(f"{command}: {process.returncode}")
    return time.monotonic() - began, usage.ru_maxrss * 1024


def _beside(what: str, seconds: list[float], peer: str, goal: float) -> Row:
    median = Timing(tuple(seconds)).median
    return Row(what, ms(median), peer, f"≤ {ms(SLOWER)} more", median <= goal)


def _memory(what: str, peak: int) -> Row:
    return Row(f"{what}, peak memory", f"{peak / 1e6:.0f} MB", "", "< 200 MB", peak < MEMORY)


def _complete(there: Cluster, name: str) -> float:
    """When the Job said that it is complete: as soon as that shows, by this machine's clock."""
    path = f"/apis/batch/v1/namespaces/{there.namespace}/jobs/{name}"
    while True:
        conditions = there.stack.api.get(path)["status"].get("conditions", [])
        if any(each["type"] == "Complete" for each in conditions):
            return time.time()
        time.sleep(0.01)


def _gone(there: Cluster, name: str) -> None:
    """Wait until the Job's pods are gone, so that the next run has the node to itself."""
    until(lambda: not there.kubectl("get", "pods", "-l", f"job-name={name}", "-o", "name"), 900)
