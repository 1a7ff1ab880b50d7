"""Many inputs: one Job, several inputs a pod, and what is seen of thousands of pods."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from dispatcher import dispatch
from dispatcher.kubernetes import target
from dispatcher.kubernetes.crowd import CrowdEye
from dispatcher.kubernetes.eye import PodEye
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.observer import Observer

COUNT = 300
"""Pods; `bench` has thousands, which take minutes to come and go."""


def test_inputs_run_side_by_side_and_keep_their_own_results(lab):
    commands = [["sh", "-c", f"echo {n}; exit {n % 2 * 3}"] for n in range(6)]
    run = lab.submit(*commands, max_parallel=3)
    status = lab.wait(run, timeout=120)
    assert len(lab.objects("jobs", run)) == 1
    assert [each.exit_code for each in status.indexes] == [0, 3] * 3
    assert [lab.log(run, n) for n in range(6)] == [f"{n}\n" for n in range(6)]
    assert status.state == "failed"


def test_a_pod_works_through_several_inputs(lab):
    commands = [["sh", "-c", f"echo {n}; exit {int(n == 4)}"] for n in range(8)]
    run = lab.submit(*commands, per_pod=3)
    status = lab.wait(run, timeout=120)
    assert [each.state for each in status.indexes] == ["succeeded"] * 4 + ["failed"] + [
        "succeeded"
    ] * 3
    assert len(lab.pods(run)) == 3
    assert [lab.log(run, n) for n in range(8)] == [f"{n}\n" for n in range(8)]


def test_both_eyes_see_the_same(lab):
    run = lab.submit(*[["sh", "-c", "sleep 120"]] * 3)
    lab.until(
        lambda: {each.state for each in dispatch.status(run.id, lab.places).indexes} == {"running"}
    )
    near = PodEye(lab.client(), run.id).look()
    far = CrowdEye(lab.client(), run.id).look()
    assert near.keys() == far.keys() == {0, 1, 2}
    for completion, glimpse in near.items():
        other = far[completion]
        assert (glimpse.name, glimpse.state, glimpse.placed) == (
            other.name,
            other.state,
            other.placed,
        )


@pytest.fixture
def crowd(lab):
    """A simulated node where thousands of pods run until they are deleted."""
    name = f"{lab.namespace}-busy"
    taint = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
    room = {"cpu": "100k", "memory": "400Ti", "pods": "50k"}
    lab.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                },
                "annotations": {"kwok.x-k8s.io/node": "fake"},
            },
            "spec": {"taints": [taint]},
            "status": {"allocatable": room, "capacity": room},
        }
    )
    yield lab.with_settings(
        node_selector={"kubernetes.io/hostname": name},
        tolerations=(Toleration(key="kwok.x-k8s.io/node"),),
        cpus=0.001,
        memory=1 << 20,
        parallel=COUNT,
    )
    lab.stack.kubectl("delete", "node", name)


def test_hundreds_are_accepted_at_once_and_seen_as_a_table(crowd, monkeypatch):
    monkeypatch.setattr(target, "_CROWD", COUNT // 2)
    run = crowd.run(*[["true"]] * COUNT)
    began = time.monotonic()
    crowd.send(run)
    assert time.monotonic() - began < 2
    with Observer(run.id, crowd.places) as observer:

        def all_run() -> bool:
            return {each.state for each in observer.all().indexes} == {"running"}

        crowd.until(all_run, seconds=120)
        began = time.monotonic()
        observer.all()
        assert time.monotonic() - began < 3
    began = time.monotonic()
    dispatch.status(run.id, crowd.places)
    assert time.monotonic() - began < 3
    dispatch.cancel(run.id, crowd.places)
    assert {each.state for each in crowd.wait(run, timeout=120).indexes} == {"cancelled"}


def test_an_end_of_many_without_results_is_settled(crowd):
    run = crowd.submit(*[["true"]] * 40, retries=0)
    with Observer(run.id, crowd.places) as observer:
        crowd.until(lambda: {each.state for each in observer.all().indexes} == {"running"})
        crowd.kubectl("delete", "job", run.id, "--cascade=foreground")
        status = crowd.until(lambda: (found := observer.all()).final and found)
    assert {each.state for each in status.indexes} == {"lost"}
    assert status.indexes[0].failure.code == "JOB_GONE"


def test_many_that_nothing_is_left_of_cost_few_questions(crowd, before_store, monkeypatch):
    run = msgspec.structs.replace(
        crowd.run(*[["true"]] * COUNT), created="2026-01-01T00:00:00+00:00"
    )
    crowd.runs.add(run)
    tasks, submit = [], ThreadPoolExecutor.submit
    monkeypatch.setattr(
        ThreadPoolExecutor, "submit", lambda *task: tasks.append(task) or submit(*task)
    )
    through = crowd.storing_through(before_store).places
    status = dispatch.status(
        run.id, msgspec.structs.replace(through, store=through.store_in_cluster)
    )
    assert {each.state for each in status.indexes} == {"lost"}
    assert 0 < len(before_store.log) < 30
    assert len(tasks) < 30
