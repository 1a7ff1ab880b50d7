"""Has images pulled on a cluster's nodes ahead of time, and says how far that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from dispatcher.kubernetes import cluster, prewarm_sight
from dispatcher.kubernetes.answers import CONFLICT, NOT_FOUND, Refusal
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.paths import group
from dispatcher.kubernetes.prewarm import CPU, PREWARM, Prewarm, WarmImage, daemon_set
from dispatcher.kubernetes.prewarm_jobs import GROUP, VERSIONS, image_pull_jobs
from dispatcher.kubernetes.prewarm_nodes import PrewarmNodes
from dispatcher.kubernetes.prewarm_objects import Warmer, WarmingPod
from dispatcher.kubernetes.prewarm_sight import Seen, Warmth
from dispatcher.kubernetes.settings import ClusterSettings
from packer.record import decodable

T = TypeVar("T")

_PULL_JOBS = "imagepulljobs"


class _Resource(msgspec.Struct, frozen=True):
    name: str


class _Resources(msgspec.Struct, frozen=True):
    """What a group has (meta/v1, APIResourceList)."""

    resources: list[_Resource] = []


class Prewarming:
    """What is pre-warmed in one namespace of a cluster.

    Every method raises what `Client` raises.
    """

    def __init__(self, client: Client, settings: ClusterSettings) -> None:
        self._client, self._settings = client, settings

    def start(self, name: str, images: Sequence[WarmImage]) -> Prewarm:
        """Have these images, and no others, on every node of a class; `cpu` is any node.

        Raises:
            GpuExpressionInvalid, GpuUnknown, GpuNotHere, Impossible, KeptOff
        """
        nodes = PrewarmNodes(self._client, self._settings)
        gpu = nodes.admitted(name)
        own = nodes.of_class(gpu) if gpu else []
        made = Prewarm(
            name=gpu.name if gpu else CPU,
            images=tuple({each.digest: each for each in images}.values()),
            gpu=gpu,
            nodes=tuple(each.name for each in own) if gpu and not all(gpu.labels or ({},)) else (),
        )
        if not self._kruise:
            self._apply(self._client.paths.daemon_sets, daemon_set(made, self._settings))
            return made
        jobs = image_pull_jobs(made, own, self._settings, self._kruise)
        for job in jobs:
            self._apply(self._jobs, job)
        kept = {job["metadata"]["name"] for job in jobs}
        stale = [job for job in self._pull_jobs(made.name) if job.metadata.name not in kept]
        self._remove(self._jobs, stale)
        self._remove(self._client.paths.daemon_sets, self._daemon_sets(made.name))
        return made

    def look(self, names: Iterable[str] = ()) -> list[Warmth]:
        """How far it is, node by node; of all classes that are pre-warmed where none is named.

        Raises:
            GpuUnknown
        """
        found: dict[str, list[Warmer]] = {}
        for each in self._of((*self._daemon_sets(), *self._pull_jobs()), names):
            found.setdefault(each.prewarm, []).append(each)
        if not found:
            return []
        nodes, pods = PrewarmNodes(self._client, self._settings), self._pods()
        return [
            line
            for name, warmers in sorted(found.items())
            for line in self._lines(
                name, warmers, [pod for pod in pods if pod.prewarm == name], nodes
            )
        ]

    def remove(self, names: Iterable[str] = ()) -> list[str]:
        """Warm these classes no more, or none at all; which they were.

        Images that nodes have stay there until the kubelet needs the room.

        Raises:
            GpuUnknown
        """
        sets = self._of(self._daemon_sets(), names)
        jobs = self._of(self._pull_jobs(), names)
        self._remove(self._client.paths.daemon_sets, sets)
        self._remove(self._jobs, jobs)
        return sorted({each.prewarm for each in (*sets, *jobs)})

    def now(self) -> float:
        """The time by the cluster's clock, in seconds since the epoch."""
        return self._client.now()

    @property
    def by(self) -> str:
        """Who has images pulled, for people."""
        return "OpenKruise" if self._kruise else "a DaemonSet"

    def _of(self, warmers: Sequence[Warmer], names: Iterable[str]) -> list[Warmer]:
        """Those of these classes; all where none is named."""
        wanted, there = set(names), {each.prewarm for each in warmers}
        # What is there may be of a class that no configuration describes any more.
        unseen = wanted - there - {CPU}
        if unseen:
            catalogue = cluster.catalogue(self._settings)
            wanted |= {catalogue.find(name)[0].name for name in unseen}
        return [each for each in warmers if not wanted or each.prewarm in wanted]

    def _lines(
        self,
        name: str,
        warmers: Sequence[Warmer],
        pods: Iterable[WarmingPod],
        nodes: PrewarmNodes,
    ) -> list[Warmth]:
        images = tuple({each.digest: each for one in warmers for each in one.images}.values())
        # Pods of before, and those on their way out, say nothing of what is asked for now.
        current = {each.revision for each in warmers}
        on_node = {
            pod.node: pod
            for pod in pods
            if pod.revision in current and not pod.metadata.deletion_timestamp and pod.node
        }
        expected = (each.name for each in nodes.of_name(name))
        return [
            line
            for node in sorted({*expected, *on_node})
            for line in prewarm_sight.warmth(
                Seen(
                    prewarm=name,
                    node=node,
                    keeping=nodes.keeping.get(node),
                    pod=on_node.get(node),
                    jobs=tuple(each for each in warmers if not each.revision),
                    now=self.now(),
                ),
                images,
                self._settings,
            )
        ]

    @cached_property
    def _kruise(self) -> str:
        """The version of OpenKruise's ImagePullJob that the cluster has; empty for none."""
        for version in VERSIONS:
            try:
                found = self._client.get(group(GROUP, version))
            except (Refusal, ApiForbidden):
                continue
            resources = msgspec.json.decode(found, type=decodable(_Resources)).resources
            if any(each.name == _PULL_JOBS for each in resources):
                return version
        return ""

    @property
    def _jobs(self) -> str:
        return f"{group(GROUP, self._kruise)}/namespaces/{self._client.namespace}/{_PULL_JOBS}"

    def _daemon_sets(self, name: str = "") -> list[Warmer]:
        return self._ours(self._client.paths.daemon_sets, Warmer, name)

    def _pull_jobs(self, name: str = "") -> list[Warmer]:
        return self._ours(self._jobs, Warmer, name) if self._kruise else []

    def _pods(self) -> list[WarmingPod]:
        return self._ours(self._client.paths.pods, WarmingPod)

    def _ours(self, path: str, kind: type[T], name: str = "") -> list[T]:
        selector = f"{PREWARM}={name}" if name else PREWARM
        return everything(self._client, path, kind, {"labelSelector": selector}).items

    def _apply(self, path: str, manifest: dict[str, Any]) -> None:
        self._client.apply(f"{path}/{manifest['metadata']['name']}", manifest)

    def _remove(self, path: str, objects: Iterable[Warmer]) -> None:
        for each in objects:
            options = {
                "propagationPolicy": "Background",
                "preconditions": {"uid": each.metadata.uid},
            }
            try:
                self._client.delete(f"{path}/{each.metadata.name}", options)
            except Refusal as refusal:
                if refusal.status not in (NOT_FOUND, CONFLICT):
                    raise
