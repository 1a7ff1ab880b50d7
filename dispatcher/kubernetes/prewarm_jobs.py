"""The same left to OpenKruise, where the cluster has it: its ImagePullJobs. Pure.

https://openkruise.io/docs/user-manuals/imagepulljob. Its daemon pulls without any pod; a job has
one image and one selector of nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from dispatcher.kubernetes import placement
from dispatcher.kubernetes.affinity import expressions
from dispatcher.kubernetes.cluster_facts import NodeFacts, matches
from dispatcher.kubernetes.prewarm import IMAGES, Prewarm, WarmImage, labels
from dispatcher.kubernetes.prewarm_objects import Warmer
from dispatcher.kubernetes.pull_job_objects import Selector
from dispatcher.kubernetes.settings import ClusterSettings
from packer.digest import Digest
from packer.record import decodable, encode

GROUP = "apps.kruise.io"
VERSIONS = ("v1beta1", "v1alpha1")
"""Of the group's ImagePullJob, the best first."""
_AT_ONCE = 20
"""Nodes that pull at the same time."""
_TRIES, _TIMEOUT = 3, 3600
"""Of one pull; seconds."""


def image_pull_jobs(
    prewarm: Prewarm,
    nodes: Iterable[NodeFacts],
    settings: ClusterSettings,
    version: str,
    there: Iterable[Warmer] = (),
) -> list[dict[str, Any]]:
    """One for each image and each way in which a node can be of the class.

    Of the ways those count that a node has; all of them where there is no node yet. Of the jobs
    that are `there` those which are under way keep their names, so that they stay as they are.
    """
    selectors, known = list(_selectors(prewarm, list(nodes), settings)), list(there)
    return [
        _job(prewarm, image, _name(prewarm, image, selector, known), selector, settings, version)
        for image in prewarm.images
        for selector in selectors
    ]


def _name(
    prewarm: Prewarm, image: WarmImage, selector: dict[str, Any], there: Iterable[Warmer]
) -> str:
    """That of the job under way that does the same, or else one that no other has."""
    wanted = msgspec.convert(selector, decodable(Selector))
    alike = [
        each
        for each in there
        if each.spec.image == image.reference and each.spec.selector == wanted
    ]
    for each in alike:
        if not (each.leaving or each.status.ended):
            return each.metadata.name
    # A job that has ended pulls on none of its nodes again; one with another uid does.
    before = sorted(each.metadata.uid for each in alike)
    told_by = Digest.of(encode([image.reference, selector, before])).hex[:8]
    return f"{prewarm.object_name}-{image.container[5:]}-{told_by}"


def _job(  # noqa: PLR0917 (what a job is made of)
    prewarm: Prewarm,
    image: WarmImage,
    name: str,
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
            "name": name,
            "labels": labels(prewarm, settings),
            "annotations": {IMAGES: encode([image]).decode()},
        },
        "spec": spec,
    }


def _selectors(
    prewarm: Prewarm, nodes: list[NodeFacts], settings: ClusterSettings
) -> Iterator[dict[str, Any]]:
    everywhere = placement.selector(settings)
    if prewarm.known_by_name:
        yield {"names": list(prewarm.nodes)}
    elif prewarm.gpu is None:
        yield {"matchLabels": everywhere}
    else:
        ways = prewarm.gpu.labels
        used = [way for way in ways if any(matches(way, node.labels) for node in nodes)]
        for way in used or ways:
            yield {"matchLabels": everywhere, "matchExpressions": expressions(way)}
