"""Where the scheduler puts runs that ask for a class of GPU, on the simulated nodes of many."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from dispatcher.kubernetes import rights
from dispatcher.kubernetes.gpu_classes import Toleration
from dispatcher.kubernetes.refusals import GpuNotHere, KeptOff
from dispatcher.request import Resources

KWOK = Toleration(key="kwok.x-k8s.io/node", effect="NoSchedule")
HELLO = ["sh", "-c", "echo hello"]
SPOT = "cloud.google.com/gke-spot=true:NoSchedule"


def asked(gpu: str) -> Resources:
    return Resources(gpu=gpu, cpus=0.1, memory=128 << 20)


def simulated(lab, **settings):
    """The lab, its pods let on simulated nodes."""
    return lab.with_settings(tolerations=(KWOK,), **settings)


def knowing(lab, **settings):
    """The same for somebody who may see everybody's pods, and so what is free."""
    return simulated(lab, kubeconfig=lab.stack.known["kubeconfig"]["admin"], **settings)


def placed(lab, gpu: str) -> str:
    """The node that a run's pod is put on."""
    run = lab.submit(HELLO, resources=asked(gpu))

    def node() -> str:
        return next((pod["spec"].get("nodeName", "") for pod in lab.pods(run)), "")

    return lab.until(node, seconds=20)


@contextmanager
def taken(lab, node: str, count: int):
    """A node whose GPUs another pod has, which runs until it is deleted."""
    container = {
        "name": "c",
        "image": "x",
        "resources": {"limits": {"nvidia.com/gpu": str(count)}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "containers": [container],
        "nodeSelector": {"kubernetes.io/hostname": node},
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    name = f"holds-{node}"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    lab.apply(pod)
    try:
        phase = ("get", "pod", name, "-o", "jsonpath={.status.phase}")
        lab.until(lambda: lab.kubectl(*phase) == "Running", seconds=20)
        yield
    finally:
        lab.kubectl("delete", "pod", name, "--force", "--grace-period=0")


@pytest.mark.parametrize(
    ("gpu", "node"),
    [
        pytest.param("a40,l40s", "a40-1", id="the first of two that are free"),
        pytest.param("l40s,a40", "l40s-1", id="the first of them in the other order"),
        pytest.param("a40:4,l40s:2", "a40-1", id="the first with a count of its own"),
        pytest.param("h100:8,a100-80gb:8", "a100-80gb-1", id="the second, the first is cordoned"),
        pytest.param("gb200,a40", "a40-1", id="the second, the first is not there"),
        pytest.param("a100-80gb:8", "a100-80gb-1", id="the one node that is large enough"),
        pytest.param("a100-80gb:mig-1g.10gb", "a100-mig-mixed", id="a slice with a name"),
        pytest.param("a100-80gb:mig-1g.10gb:7", "a100-mig-mixed", id="seven slices"),
        pytest.param("a100-40gb:mig-1g.5gb", "a100-mig-single", id="a slice like a whole one"),
        pytest.param("a100-40gb,a100-40gb:mig-1g.5gb", "a100-mig-single", id="whole or a slice"),
        pytest.param("mi300x:8", "mi300x-1", id="of another vendor"),
    ],
)
def test_a_class_is_placed_on_a_node_of_it(lab, gpu, node):
    assert placed(simulated(lab), gpu) == node


@pytest.mark.parametrize("gpu", ["a40:4,l40s:4", "a40:4,l40s:2"])
def test_a_class_that_is_busy_leaves_it_to_the_next(lab, gpu):
    with taken(lab, "a40-1", 4):
        assert placed(knowing(lab), gpu) == "l40s-1"


def test_classes_with_one_count_need_no_sight_of_what_is_free(lab):
    with taken(lab, "a40-1", 4):
        assert placed(simulated(lab), "a40:4,l40s:4") == "l40s-1"


def test_a_spot_node_is_for_those_who_say_so(lab):
    assert placed(simulated(lab, spot=True), "l4") == "l4-spot"


def test_a_spot_node_is_kept_from_the_others_before_anything_is_made(lab):
    with pytest.raises(KeptOff) as caught:
        simulated(lab).submit(HELLO, resources=asked("l4"))
    assert SPOT in caught.value.evidence()
    assert not [each for each in lab.objects("jobs") if each["metadata"]["name"] in lab.sent]


def test_a_pod_that_a_spot_node_keeps_off_waits_and_says_why(lab, proxy):
    # Whoever may not list the nodes is not told before.
    with simulated(lab).allowed(proxy, rights.of_namespace()) as blind:
        run = blind.submit(HELLO, resources=asked("l4"))
        failure = lab.until(lambda: blind.index(run).waiting)
    assert (failure.code, failure.blame) == ("UNSCHEDULABLE", "config"), failure
    assert "node(s) had untolerated taint" in failure.evidence[0]
    assert "tolerations in [tool.sendoff]" in failure.fix
    (pod,) = lab.pods(run)
    assert "nodeName" not in pod["spec"]


def test_a_gpu_that_is_shared_is_not_taken_for_a_whole_one(lab):
    with pytest.raises(GpuNotHere):
        simulated(lab).submit(HELLO, resources=asked("a10"))
