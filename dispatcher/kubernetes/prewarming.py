"""Has images pulled on a cluster's nodes ahead of time, and says how far that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dispatcher import gpu_expression
from dispatcher.kubernetes import cluster, prewarm_sight
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.cluster_facts import NodeFacts
from dispatcher.kubernetes.prewarm import CPU, Prewarm, WarmImage, daemon_set
from dispatcher.kubernetes.prewarm_client import PrewarmClient
from dispatcher.kubernetes.prewarm_jobs import image_pull_jobs
from dispatcher.kubernetes.prewarm_nodes import PrewarmNodes
from dispatcher.kubernetes.prewarm_objects import Warmer, WarmingPod
from dispatcher.kubernetes.prewarm_sight import Seen, Warmth
from dispatcher.kubernetes.refusals import NodesUnknown
from dispatcher.kubernetes.settings import ClusterSettings


class Prewarming:
    """What is pre-warmed in one namespace of a cluster.

    Every method raises what `Client` raises.
    """

    def __init__(self, client: Client, settings: ClusterSettings) -> None:
        self._client, self._settings = client, settings
        self._objects = PrewarmClient(client)

    def start(self, name: str, images: Sequence[WarmImage]) -> Prewarm:
        """Have these images, and no others, on every node of a class; `cpu` is any node.

        Raises:
            GpuExpressionInvalid, GpuUnknown, GpuNotHere, PlatformUnfit, Impossible, KeptOff
            NodesUnknown: it has no labels, and no nodes that may be seen.
        """
        made, nodes = self._prewarm(name, images)
        objects = self._objects
        if not objects.kruise:
            objects.apply(daemon_set(made, self._settings))
            return made
        there = objects.pull_jobs(made.name)
        jobs = image_pull_jobs(made, nodes, self._settings, objects.kruise, there)
        for job in jobs:
            objects.apply(job)
        kept = {job["metadata"]["name"] for job in jobs}
        objects.remove([each for each in there if each.metadata.name not in kept])
        objects.remove(objects.daemon_sets(made.name))
        return made

    def look(self, names: Iterable[str] = ()) -> list[Warmth]:
        """How far it is, node by node; of all classes that are pre-warmed where none is named.

        Raises:
            GpuExpressionInvalid, GpuUnknown
        """
        found: dict[str, list[Warmer]] = {}
        for each in self._warmers(names):
            found.setdefault(each.prewarm, []).append(each)
        if not found:
            return []
        nodes, pods = PrewarmNodes(self._client, self._settings), self._objects.pods()
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
            GpuExpressionInvalid, GpuUnknown
        """
        warmers = self._warmers(names)
        self._objects.remove(warmers)
        return sorted({each.prewarm for each in warmers})

    def now(self) -> float:
        """The time by the cluster's clock, in seconds since the epoch."""
        return self._client.now()

    @property
    def by(self) -> str:
        """Who has images pulled, for people."""
        return "OpenKruise" if self._objects.kruise else "a DaemonSet"

    def _prewarm(
        self, name: str, images: Sequence[WarmImage]
    ) -> tuple[Prewarm, Sequence[NodeFacts]]:
        """What is asked for, and the nodes that a GPU class has now.

        Raises:
            As `start`.
        """
        nodes = PrewarmNodes(self._client, self._settings)
        gpu = nodes.admitted(name)
        own = nodes.of_class(gpu) if gpu else []
        made = Prewarm(
            name=gpu.name if gpu else CPU,
            images=tuple({each.digest: each for each in images}.values()),
            gpu=gpu,
            nodes=tuple(each.name for each in own),
        )
        if made.known_by_name and not made.nodes:
            raise NodesUnknown(made.name)
        return made, own

    def _warmers(self, names: Iterable[str]) -> list[Warmer]:
        """Those of these classes; all where none is named.

        Raises:
            GpuExpressionInvalid, GpuUnknown
        """
        found = [*self._objects.daemon_sets(), *self._objects.pull_jobs()]
        there = [each for each in found if not each.leaving]
        wanted = set(names)
        # What is there may be of a class that no configuration describes any more.
        unseen = wanted - {each.prewarm for each in there} - {CPU}
        if unseen:
            catalogue = cluster.catalogue(self._settings)
            parts = (each for name in unseen for each in gpu_expression.parse(name))
            wanted |= {catalogue.find(each.name)[0].name for each in parts}
        return [each for each in there if not wanted or each.prewarm in wanted]

    def _lines(
        self,
        name: str,
        warmers: Sequence[Warmer],
        pods: Iterable[WarmingPod],
        nodes: PrewarmNodes,
    ) -> list[Warmth]:
        told = [each.images for each in warmers]
        images = tuple({each.digest: each for some in told for each in some or ()}.values())
        unknown = [prewarm_sight.unknown(name)] if None in told else []
        # Pods of before, and those on their way out, say nothing of what is asked for now.
        current = {each.revision for each in warmers}
        on_node = {
            pod.node: pod
            for pod in pods
            if pod.revision in current and not pod.metadata.deletion_timestamp and pod.node
        }
        expected = (each.name for each in nodes.of_name(name))
        return unknown + [
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
