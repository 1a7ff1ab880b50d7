"""Nodes, runs and settings to plan with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dispatcher.kubernetes.admission import Admission, Choice
from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.cluster_facts import ClusterFacts, of_nodes
from dispatcher.kubernetes.objects import Node, UsingPod
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Input, Request, Resources
from dispatcher.run import Run
from packer.digest import Digest
from tests.faults.proxy import Proxy

H100 = "NVIDIA-H100-80GB-HBM3"
A100 = "NVIDIA-A100-SXM4-80GB"


def node(
    name: str,
    gpus: int = 0,
    *,
    product: str = "",
    resource: str = "nvidia.com/gpu",
    labels: dict | None = None,
    taints: list | None = None,
    driver: str = "",
    ready: bool = True,
    cordoned: bool = False,
    cpu: str = "96",
    memory: str = "1000Gi",
    arch: str = "amd64",
) -> dict:
    """A node as the API sends it."""
    found = {"kubernetes.io/os": "linux", "kubernetes.io/arch": arch, **(labels or {})}
    if product:
        found["nvidia.com/gpu.product"] = product
    if driver:
        found["nvidia.com/cuda.driver-version.full"] = driver
        found["nvidia.com/cuda.driver-version.major"] = driver.partition(".")[0]
    return {
        "metadata": {"name": name, "labels": found, "creationTimestamp": None},
        "spec": {"taints": taints or [], "unschedulable": cordoned},
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory} | ({resource: str(gpus)} if gpus else {}),
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
        },
    }


def user(on: str, gpus: int = 1, resource: str = "nvidia.com/gpu") -> dict:
    """A pod that uses GPUs of a node."""
    requests = {resource: str(gpus), "cpu": "1"}
    return {"spec": {"nodeName": on, "containers": [{"resources": {"requests": requests}}]}}


def cluster(*nodes: dict, pods: list[dict] | None = None) -> ClusterFacts:
    """What these nodes and pods come to."""
    return of_nodes(
        msgspec.convert(list(nodes), list[Node]),
        None if pods is None else msgspec.convert(pods, list[UsingPod]),
    )


def admit(
    facts: ClusterFacts | None,
    gpu: str = "",
    *,
    settings: ClusterSettings | None = None,
    driver: tuple[int, ...] = (),
    **resources: float,
) -> Choice:
    """What admission says."""
    settings = settings or ClusterSettings()
    admission = Admission(Catalogue.known(settings.gpu_classes), facts, settings)
    return admission.admit(Resources(gpu=gpu, **resources), driver)


def run_of(count: int = 1, **request: object) -> Run:
    """A run of `count` inputs."""
    digest = Digest.of(b"image")
    inputs = tuple(
        Input(command=("python", "train.py", "--seed", str(number)), digest=digest)
        for number in range(count)
    )
    return Run(
        id="train-abc234",
        created="2026-11-24T03:11:27Z",
        request=Request(
            inputs=inputs,
            repository="registry.example:5000/sendoff",
            target="kubernetes",
            **request,
        ),
        snapshot=digest,
        environment=digest,
    )


@pytest.fixture
def api() -> Iterator[Proxy]:
    """An API server of which everything is said by a test."""
    with Proxy(("127.0.0.1", 1)) as started:
        yield started


@pytest.fixture
def api_settings(api: Proxy, tmp_path: Path) -> ClusterSettings:
    """How to reach it."""
    path = tmp_path / "kubeconfig"
    document = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{api.port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "namespace": "lab"}}],
    }
    path.write_text(json.dumps(document))
    return ClusterSettings(kubeconfig=str(path))


@pytest.fixture
def h100s() -> ClusterFacts:
    """Two nodes of 8, one of which is in use, and one of A100s."""
    return cluster(
        node("h-1", 8, product=H100, driver="550.54.15"),
        node("h-2", 8, product=H100, driver="535.104.05"),
        node("a-1", 4, product=A100, driver="550.54.15"),
        pods=[user("h-1", 8), user("a-1", 1)],
    )
