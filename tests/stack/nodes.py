"""What the cluster's nodes offer: GPUs the real one doesn't have, and nodes that don't exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.stack.site import NODE

_CATALOGUE = Path(__file__).with_name("nodes.json")
_FAKE = {"kwok.x-k8s.io/node": "fake"}
REAL_GPU = {
    "product": "NVIDIA-H100-80GB-HBM3",
    "memory": 81559,
    "count": 2,
    "family": "hopper",
    "compute": "9.0",
}


def gpu_labels(gpu: dict[str, Any]) -> dict[str, str]:
    """The labels that NVIDIA's GPU Feature Discovery would give a node; memory is in MiB."""
    driver = gpu.get("driver", "550.54.15").split(".")
    cuda = gpu.get("cuda", "12.4").split(".")
    compute = gpu["compute"].split(".")
    values = {
        "gpu.present": "true",
        "gpu.product": gpu["product"],
        "gpu.memory": gpu["memory"],
        "gpu.count": gpu["count"],
        "gpu.replicas": gpu.get("replicas", 1),
        "gpu.sharing-strategy": "time-slicing" if "replicas" in gpu else "none",
        "gpu.family": gpu["family"],
        "gpu.compute.major": compute[0],
        "gpu.compute.minor": compute[1],
        "mig.capable": "true" if gpu["family"] in {"ampere", "hopper"} else "false",
        "mig.strategy": gpu.get("mig", "single"),
        "cuda.driver.major": driver[0],
        "cuda.driver.minor": driver[1],
        "cuda.driver.rev": driver[2],
        "cuda.driver-version.full": ".".join(driver),
        "cuda.driver-version.major": driver[0],
        "cuda.driver-version.minor": driver[1],
        "cuda.runtime.major": cuda[0],
        "cuda.runtime.minor": cuda[1],
        "cuda.runtime-version.full": ".".join(cuda),
        "cuda.runtime-version.major": cuda[0],
        "cuda.runtime-version.minor": cuda[1],
    }
    return {f"nvidia.com/{name}": str(value) for name, value in values.items()}


def gpu_resources(gpu: dict[str, Any]) -> dict[str, str]:
    return {"nvidia.com/gpu": str(gpu["count"] * gpu.get("replicas", 1))}


def real() -> tuple[dict[str, Any], dict[str, Any]]:
    """Merge patches for the real node and for its status: two GPUs of class h100."""
    resources = gpu_resources(REAL_GPU)
    labels = {"metadata": {"labels": gpu_labels(REAL_GPU)}}
    return labels, {"status": {"capacity": resources, "allocatable": resources}}


def fake() -> list[dict[str, Any]]:
    """The nodes that kwok simulates. None takes a pod that doesn't tolerate being simulated."""
    return [simulated(each) for each in json.loads(_CATALOGUE.read_text())]


def simulated(entry: dict[str, Any]) -> dict[str, Any]:
    """The node that an entry of nodes.json describes."""
    name, gpu = entry["name"], entry.get("gpu")
    assert name != NODE
    resources = {
        "cpu": "64",
        "memory": "512Gi",
        "ephemeral-storage": "1Ti",
        "pods": "110",
        **(gpu_resources(gpu) if gpu else {}),
        **entry.get("resources", {}),
    }
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "type": "kwok",
        **(gpu_labels(gpu) if gpu else {}),
        **entry.get("labels", {}),
    }
    taint = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": _FAKE},
        "spec": {
            "taints": [taint, *entry.get("taints", [])],
            "unschedulable": entry.get("unschedulable", False),
        },
        "status": {"capacity": resources, "allocatable": resources},
    }
