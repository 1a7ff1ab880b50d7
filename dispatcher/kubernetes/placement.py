"""Which nodes the pods of a run may go to, whatever GPUs those have. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.kubernetes.cluster_facts import ARCH, OS, NodeFacts, show_taint
from dispatcher.kubernetes.gpu_classes import AMD64, GpuClass
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.tolerations import keeping_off, tolerations

_PLATFORM = {OS: "linux", ARCH: AMD64}
"""What images for clusters are packed for. Every kubelet gives its node these labels."""


def selector(settings: ClusterSettings) -> dict[str, str]:
    """The labels of nodes that pods may go to; the site's own word goes."""
    return {**_PLATFORM, **settings.node_selector}


def platform(settings: ClusterSettings) -> str:
    """What nodes have to be: "linux/amd64"."""
    wanted = selector(settings)
    return f"{wanted[OS]}/{wanted[ARCH]}"


def unselected(node: NodeFacts, settings: ClusterSettings) -> list[str]:
    """The labels for which the selector passes a node over: "kubernetes.io/arch=arm64"."""
    return [
        f"{key}={node.labels[key]}" if key in node.labels else f"no {key}"
        for key, value in selector(settings).items()
        if node.labels.get(key) != value
    ]


def untolerated(
    node: NodeFacts, classes: Iterable[GpuClass], settings: ClusterSettings
) -> list[str]:
    """The taints that keep pods for these classes off a node, as kubectl writes them."""
    return [show_taint(each) for each in keeping_off(node.taints, tolerations(classes, settings))]


def is_open(node: NodeFacts, classes: Iterable[GpuClass], settings: ClusterSettings) -> bool:
    """Whether pods for these classes may go to a node."""
    return not unselected(node, settings) and not untolerated(node, classes, settings)
