"""Nodes that get images ahead of time: by a real DaemonSet, under the operators' Role alone."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.kubernetes import manifests
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.manifests import Tenancy
from dispatcher.kubernetes.prewarm import WarmImage, daemon_set
from dispatcher.kubernetes.prewarm_sight import LISTED, Warmth, settled
from dispatcher.kubernetes.prewarming import Prewarming
from dispatcher.kubernetes.refusals import GpuNotHere, GpuUnknown, NodesUnknown
from dispatcher.kubernetes.settings import ClusterSettings
from packer.digest import Digest
from tests.stack.kubernetes import run_image
from tests.stack.kubernetes.guarded_registry import guarded_registry
from tests.stack.kubernetes.run_image import REPOSITORY
from tests.stack.stack import Stack
from tests.unit.dispatcher.kubernetes.test_prewarm import prewarm

CRD = Path(__file__).with_name("imagepulljobs.json")
PULL_JOBS = "imagepulljobs.apps.kruise.io"


@pytest.fixture
def namespace(stack: Stack) -> Iterator[str]:
    """Under "restricted", whose researcher may pre-warm and nothing else."""
    name = f"warm-{os.urandom(4).hex()}"
    tenancy = Tenancy(namespace=name, subject="researcher", kind="User")
    place, *_ = manifests.render(tenancy)
    objects = [place, *manifests.operators(tenancy)]
    listed = json.dumps({"kind": "List", "apiVersion": "v1", "items": objects})
    stack.kubectl("apply", "-f", "-", stdin=listed)
    yield name
    stack.kubectl("delete", "namespace", name, "--wait=false")
    for kind in ("clusterrole", "clusterrolebinding"):
        stack.kubectl("delete", kind, f"sendoff-operators-{name}")


@pytest.fixture
def operator(stack: Stack, namespace: str) -> Prewarming:
    return operating(stack, namespace)


def operating(stack: Stack, namespace: str, **configured: Any) -> Prewarming:
    """Pre-warming as the researcher, with what a site has configured."""
    kubeconfig = stack.known["kubeconfig"]["researcher"]
    settings = ClusterSettings(
        kubeconfig=kubeconfig, namespace=namespace, image_timeout=1, **configured
    )
    return Prewarming(Client(settings), settings)


@pytest.fixture(scope="session")
def image(stack: Stack, digest: Digest) -> WarmImage:
    return warm(stack, digest, "first")


def warm(stack: Stack, digest: str, title: str) -> WarmImage:
    repository = f"{stack.known['registry']['address']}/{REPOSITORY}"
    python = "/usr/bin/python3.11"
    return WarmImage(reference=f"{repository}@{digest}", python=python, title=title)


def until(operator: Prewarming, condition: Callable[[list[Warmth]], bool]) -> list[Warmth]:
    deadline = time.monotonic() + 60
    while not condition(lines := operator.look()):
        assert time.monotonic() < deadline, lines
        time.sleep(0.1)
    return lines


def here(lines: list[Warmth]) -> bool:
    return bool(lines) and all(line.state == "here" for line in lines)


def test_a_class_gets_an_image_and_loses_the_daemon_set(
    operator: Prewarming, image: WarmImage, stack: Stack, namespace: str
) -> None:
    assert operator.look() == []
    operator.start("h100", [image])
    (line,) = until(operator, here)
    assert (line.prewarm, line.node, line.image) == ("h100", stack.known["node"], image)
    assert line.since
    operator.start("h100", [image])
    assert here(operator.look()), "the same again changes nothing"
    assert here(operator.look(["H100"])), "as a run may call it"
    assert operator.look(["cpu"]) == []
    with pytest.raises(GpuUnknown):
        operator.look(["h1oo"])
    assert operator.remove(["a100-80gb"]) == []
    assert operator.remove(["h100"]) == ["h100"]
    assert operator.look() == []
    pods = ["-n", namespace, "wait", "--for=delete", "pod", "-l", "sendoff.io/prewarm"]
    stack.kubectl(*pods, "--timeout=60s")


def test_other_images_take_the_place_of_those_that_were_named(
    operator: Prewarming, image: WarmImage, stack: Stack
) -> None:
    other = warm(stack, run_image.push(stack.known, {"README": "other"}, "warm"), "other")
    operator.start("cpu", [image])
    until(operator, here)
    operator.start("cpu", [other, image])
    assert {line.image for line in until(operator, here)} == {other, image}
    operator.start("cpu", [other])
    assert {line.image for line in until(operator, here)} == {other}


def test_an_image_that_is_not_there_is_said_to_be_missing(
    operator: Prewarming, image: WarmImage, stack: Stack
) -> None:
    gone = warm(stack, Digest.of(os.urandom(8)), "gone")
    operator.start("h100", [image, gone])

    def over(lines: list[Warmth]) -> bool:
        return bool(lines) and settled(lines, operator.now())

    first, second = until(operator, over)
    assert (first.state, second.state) == ("here", "failed")
    assert second.trouble
    assert second.trouble.failure.code == "DIGEST_GONE"


def test_nodes_pull_with_the_credentials_of_the_runs(
    stack: Stack, namespace: str, digest: Digest, tmp_path: Path
) -> None:
    def pulled(*secrets: str) -> Warmth:
        operator = operating(stack, namespace, image_pull_secrets=secrets)
        operator.start("h100", [image])
        (line,) = until(operator, lambda lines: bool(lines) and settled(lines, operator.now()))
        return line

    with guarded_registry(tmp_path) as address:
        copied = run_image.copy(
            stack.known, digest, run_image.Registry(address, "alice:wonderland")
        )
        image = WarmImage(f"{address}/{REPOSITORY}@{copied}", "/usr/bin/python3.11", "guarded")
        refused = pulled().trouble
        assert refused
        assert refused.failure.code == "REGISTRY_AUTH"
        login = ["--docker-username=alice", "--docker-password=wonderland"]
        kind = ["create", "secret", "docker-registry", "pull", f"--docker-server={address}"]
        stack.kubectl("-n", namespace, *kind, *login)
        assert pulled("pull").state == "here"


def test_a_class_that_the_cluster_has_not_is_refused(
    operator: Prewarming, image: WarmImage
) -> None:
    with pytest.raises(GpuNotHere):
        operator.start("gb200", [image])
    assert operator.look() == []


def test_an_image_whose_python_is_not_there_is_said_to_be_so(
    operator: Prewarming, image: WarmImage
) -> None:
    operator.start("h100", [replace(image, python="/usr/bin/python0")])

    def failed(lines: list[Warmth]) -> bool:
        return bool(lines) and lines[0].state == "failed"

    (line,) = until(operator, failed)
    # Its state is another with each try, and what is told of it is the same.
    for _ in range(50):
        assert line.trouble
        assert line.trouble.failure.code == "IMAGE_UNUSABLE"
        assert settled([line], operator.now())
        (line,) = operator.look()


def test_a_class_without_labels_has_its_nodes_named_and_may_leave_the_configuration(
    operator: Prewarming, image: WarmImage, stack: Stack, namespace: str
) -> None:
    configured = operating(stack, namespace, gpu_classes={"ours": {"resource": "nvidia.com/gpu"}})
    configured.start("ours", [image])
    (line,) = until(configured, here)
    assert (line.prewarm, line.node) == ("ours", stack.known["node"])
    assert [each.prewarm for each in configured.look(["ours:1"])] == ["ours"]
    with pytest.raises(GpuUnknown):
        operator.remove(["h100", "0urs"])
    assert operator.remove(["h100", "ours"]) == ["ours"]


def test_a_class_without_labels_and_without_nodes_is_refused(
    stack: Stack, namespace: str, image: WarmImage
) -> None:
    """An autoscaler may make some, and nothing would tell them from others."""
    none = {"none": {"resource": "example.com/none"}}
    operator = operating(stack, namespace, gpu_classes=none, scalable=("none",))
    with pytest.raises(NodesUnknown):
        operator.start("none", [image])
    assert operator.look() == []


def test_an_operator_may_not_send_runs(stack: Stack, namespace: str) -> None:
    kubeconfig = stack.known["kubeconfig"]["researcher"]
    client = Client(ClusterSettings(kubeconfig=kubeconfig, namespace=namespace))
    with pytest.raises(ApiForbidden):
        client.create(client.paths.jobs, {"metadata": {"name": "x"}})


@pytest.mark.parametrize("name", ["cpu", "h100", "vision"])
def test_each_daemon_set_is_valid(name: str, stack: Stack, namespace: str) -> None:
    made = json.dumps(daemon_set(*prewarm(name)))
    place = ["-n", namespace, "apply", "--dry-run=server", "--validate=strict"]
    said = stack.kubectl(*place, "-f", "-", stdin=made)
    assert "created" in said


@pytest.fixture
def kruise(stack_alone: Stack) -> Iterator[Stack]:
    """OpenKruise's kind of object, without its controller: the test plays it."""
    stack_alone.kubectl("apply", "-f", str(CRD))
    stack_alone.kubectl("wait", "--for=condition=Established", f"crd/{PULL_JOBS}")
    yield stack_alone
    stack_alone.kubectl("delete", "crd", PULL_JOBS)


def test_openkruise_is_left_to_it_where_there_is_one(
    kruise: Stack, operator: Prewarming, namespace: str
) -> None:
    image = warm(kruise, Digest.of(os.urandom(8)), "no node has it")
    operator.start("h100", [image])
    assert operator.by == "OpenKruise"
    assert [line.state for line in operator.look()] == ["pulling"]
    (job,) = _jobs(kruise, namespace)
    assert job["spec"]["image"] == image.reference
    node = kruise.known["node"]
    _say(kruise, namespace, job, desired=1, failed=1, failedNodes=[node], message="no route")
    (line,) = operator.look()
    assert line.trouble
    assert (line.state, line.trouble.failure.evidence) == ("failed", ("no route",))
    now, then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "2026-01-01T00:00:00Z"
    listed = kruise.api.get(f"/api/v1/nodes/{node}")["status"]["images"]
    # Where its list is full, what is not in it may be there.
    later = ("absent", "") if len(listed) < LISTED else ("here", then)
    for when, told in ((now, ("here", now)), (then, later)):
        _say(kruise, namespace, job, desired=1, succeeded=1, failedNodes=[], completionTime=when)
        (line,) = operator.look()
        assert (line.state, line.since) == told, "its list is minutes behind, not months"
    operator.start("h100", [image])
    (second,) = _jobs(kruise, namespace)
    assert second["metadata"]["uid"] != job["metadata"]["uid"], (
        "the one that has ended pulls no more"
    )
    assert [line.state for line in operator.look()] == ["pulling"]
    operator.start("h100", [image])
    assert _jobs(kruise, namespace) == [second], "the same again changes nothing under way"
    other = warm(kruise, Digest.of(b"other"), "other")
    operator.start("h100", [other])
    (job,) = _jobs(kruise, namespace)
    assert job["spec"]["image"] == other.reference
    assert operator.remove() == ["h100"]
    assert _jobs(kruise, namespace) == []


def _jobs(stack: Stack, namespace: str) -> list[dict[str, Any]]:
    found = stack.kubectl("-n", namespace, "get", PULL_JOBS, "-o", "json")
    items: list[dict[str, Any]] = json.loads(found)["items"]
    return items


def _say(stack: Stack, namespace: str, job: dict[str, Any], **status: Any) -> None:
    """As OpenKruise's controller."""
    name, patch = job["metadata"]["name"], json.dumps({"status": status})
    where = ["-n", namespace, "patch", PULL_JOBS, name, "--subresource=status"]
    stack.kubectl(*where, "--type=merge", "-p", patch)
