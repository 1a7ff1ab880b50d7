"""The same left to OpenKruise, where the cluster has it: its ImagePullJobs. Pure.

https://openkruise.io/docs/user-manuals/imagepulljob. Its daemon pulls without any pod; a job has
one image and one selector of nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dispatcher.kubernetes.affinity import expressions
from dispatcher.kubernetes.cluster_facts import NodeFacts, matches
from dispatcher.kubernetes.prewarm import IMAGES, PLATFORM, Prewarm, WarmImage, labels
from dispatcher.kubernetes.settings import ClusterSettings
from packer.record import encode

GROUP = "apps.kruise.io"
VERSIONS = ("v1beta1", "v1alpha1")
"""Of the group's ImagePullJob, the best first."""
_AT_ONCE = 20
"""Nodes that pull at the same time."""
_TRIES, _TIMEOUT = 3, 3600
"""Of one pull; seconds."""


def image_pull_jobs(
    prewarm: Prewarm, nodes: Iterable[NodeFacts], settings: ClusterSettings, version: str
) -> list[dict[str, Any]]:
    """One for each image and each way in which a node can be of the class.

    Of the ways those count that a node has; all of them where there is no node yet.
    """
    selectors = list(_selectors(prewarm, list(nodes), settings))
    return [
        _job(prewarm, image, f"{image.container[5:]}-{place}", selector, settings, version)
        for image in prewarm.images
        for place, selector in enumerate(selectors)
    ]


def _job(  # noqa: PLR0917 (what a job is made of)
    prewarm: Prewarm,
    image: WarmImage,
    suffix: str,
    selector: dict[str, Any],
    settings: ClusterSettings,
    version: str,
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "image": image.reference,
        "parallelism": _AT_ONCE,
        "selector": selector,
        # Nodes that come later are served too, and the job stays until it is removed.
        "completionPolicy": {"type": "Never"},
        "pullPolicy": {"backoffLimit": _TRIES, "timeoutSeconds": _TIMEOUT},
    }
    if settings.image_pull_secrets:
        spec["pullSecrets"] = list(settings.image_pull_secrets)
    return {
        "apiVersion": f"{GROUP}/{version}",
        "kind": "ImagePullJob",
        "metadata": {
            "name": f"{prewarm.object_name}-{suffix}",
            "labels": labels(prewarm, settings),
            "annotations": {IMAGES: encode([image]).decode()},
        },
        "spec": spec,
    }


def _selectors(
    prewarm: Prewarm, nodes: list[NodeFacts], settings: ClusterSettings
) -> Iterator[dict[str, Any]]:
    everywhere = {**PLATFORM, **settings.node_selector}
    if prewarm.known_by_name:
        yield {"names": list(prewarm.nodes)}
    elif prewarm.gpu is None:
        yield {"matchLabels": everywhere}
    else:
        ways = prewarm.gpu.labels
        used = [way for way in ways if any(matches(way, node.labels) for node in nodes)]
        for way in used or ways:
            yield {"matchLabels": everywhere, "matchExpressions": expressions(way)}
