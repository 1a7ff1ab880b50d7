"""Images that all nodes of a class are to have before a run asks for them. Pure.

A DaemonSet does it in any cluster: one init container for each image, which is pulled to start it
and ends at once, and one container that does nothing, without which the pod would be started over
and over. While the pod is there the kubelet's garbage collection leaves its images alone.
"""

from __future__ import annotations

import hashlib
from typing import Any

from dispatcher.kubernetes import placement
from dispatcher.kubernetes.admission import Choice
from dispatcher.kubernetes.affinity import node_affinity
from dispatcher.kubernetes.gpu_classes import GpuClass
from dispatcher.kubernetes.job import MANAGED
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.tolerations import as_manifest, tolerations
from packer.record import Record, encode

PREWARM = "sendoff.io/prewarm"
"""Label with the GPU class whose nodes are warmed."""
REVISION = "sendoff.io/prewarm-revision"
"""Label that tells pods of what was asked for last from those of before."""
IMAGES = "sendoff.io/images"
"""Annotation with the images as `WarmImage` has them."""
CPU = "cpu"
"""Stands for all nodes that runs may go to."""
_NODE_NAME = "metadata.name"
_AT_ONCE = "25%"
"""Of the nodes take up changed images at the same time."""
_CODE = "import signal as s; t = {s.SIGTERM}; s.pthread_sigmask(s.SIG_BLOCK, t); s.sigwait(t)"
"""Does nothing until it is told to end. As the first process of a container it would not be ended
by the signal alone."""


class WarmImage(Record, frozen=True):
    """One image that nodes are to have."""

    reference: str
    """As nodes pull it: `registry.example/team/runs@sha256:…`."""
    python: str
    """In-image path of its interpreter: the one program that every image of ours has."""
    title: str = ""
    """What people call it."""
    size: int = 0
    """Bytes of its layers, as they are pulled."""

    @property
    def digest(self) -> str:
        """With its algorithm: "sha256:…"."""
        return self.reference.rpartition("@")[2]

    @property
    def container(self) -> str:
        """The name of the container that has it pulled: the same however many others there are."""
        return f"pull-{self.digest.rpartition(':')[2][:12]}"


class Prewarm(Record, frozen=True):
    """A class and its images."""

    name: str
    """Of the class: "h100", "cpu"."""
    images: tuple[WarmImage, ...]
    gpu: GpuClass | None = None
    """None for nodes of any kind."""
    nodes: tuple[str, ...] = ()
    """The GPU class's nodes as they are now, by name."""

    @property
    def object_name(self) -> str:
        """What its object in the cluster is called."""
        return f"sendoff-prewarm-{self.name}"

    @property
    def known_by_name(self) -> bool:
        """Whether its nodes have to be named one by one."""
        return self.gpu is not None and not all(self.gpu.labels or ({},))


def daemon_set(prewarm: Prewarm, settings: ClusterSettings) -> dict[str, Any]:
    """The DaemonSet (apps/v1) that has the images pulled on every node of the class."""
    selector = {PREWARM: prewarm.name}
    pod = _pod(prewarm, settings)
    revision = hashlib.sha256(encode(pod)).hexdigest()[:12]
    own = {**labels(prewarm, settings), REVISION: revision}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": prewarm.object_name,
            "labels": own,
            "annotations": {IMAGES: encode(prewarm.images).decode()},
        },
        "spec": {
            "selector": {"matchLabels": selector},
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": _AT_ONCE},
            },
            "template": {"metadata": {"labels": own}, "spec": pod},
        },
    }


def labels(prewarm: Prewarm, settings: ClusterSettings) -> dict[str, str]:
    """Those of everything that belongs to it."""
    return {**settings.labels, MANAGED: "sendoff", PREWARM: prewarm.name}


def _pod(prewarm: Prewarm, settings: ClusterSettings) -> dict[str, Any]:
    tolerated = tolerations([prewarm.gpu] if prewarm.gpu else [], settings)
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": settings.user,
            "runAsGroup": settings.user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [_container(each, each.container, "") for each in prewarm.images],
        "containers": [_container(prewarm.images[0], "rest", _CODE)],
        "nodeSelector": placement.selector(settings),
        "tolerations": [as_manifest(each) for each in tolerated],
        "affinity": _affinity(prewarm),
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
    }
    return {key: value for key, value in spec.items() if value or value is False}


def _affinity(prewarm: Prewarm) -> dict[str, Any]:
    if prewarm.known_by_name:
        # The API takes one name a term, and no label need be the name of a node.
        named = ({"key": _NODE_NAME, "operator": "In", "values": [name]} for name in prewarm.nodes)
        terms = {"nodeSelectorTerms": [{"matchFields": [each]} for each in named]}
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    return node_affinity(Choice(classes=(prewarm.gpu,))) if prewarm.gpu else {}


def _container(image: WarmImage, name: str, code: str) -> dict[str, Any]:
    resources = {"cpu": "1m", "memory": "48Mi"}
    return {
        "name": name,
        "image": image.reference,
        "imagePullPolicy": "IfNotPresent",
        # Isolated, and without what its packages would run at a start.
        "command": [image.python, "-I", "-S", "-c", code],
        # The runtime of a GPU node gives containers of CUDA images every GPU otherwise.
        "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}],
        "workingDir": "/",
        "resources": {"requests": resources, "limits": {"memory": resources["memory"]}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
