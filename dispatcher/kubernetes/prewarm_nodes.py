"""The nodes that images are pulled on ahead of time."""

from __future__ import annotations

from functools import cached_property

from dispatcher.kubernetes import cluster
from dispatcher.kubernetes.admission import Admission
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.cluster_facts import ClusterFacts, NodeFacts, of_nodes
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.gpu_classes import GpuClass
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.paths import NODES
from dispatcher.kubernetes.placement import is_open
from dispatcher.kubernetes.prewarm import CPU
from dispatcher.kubernetes.prewarm_objects import KeepingNode
from dispatcher.kubernetes.refusals import GpuUnknown
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Resources


class PrewarmNodes:
    """A cluster's nodes at one instant."""

    def __init__(self, client: Client, settings: ClusterSettings) -> None:
        self._client, self._settings = client, settings
        self._known = cluster.catalogue(settings)

    def admitted(self, name: str) -> GpuClass | None:
        """The class of that name, in the form that the cluster has; None for `cpu`.

        Raises:
            GpuExpressionInvalid, GpuUnknown, GpuNotHere, PlatformUnfit, Impossible, KeptOff
        """
        admission = Admission(self._known, self._facts, self._settings)
        choice = admission.admit(Resources(gpu=name))
        return choice.classes[0] if choice.classes else None

    def of_name(self, name: str) -> list[NodeFacts]:
        """The nodes of the class of that name; none where nobody knows it any more."""
        if name == CPU:
            return self.of_class(None)
        try:
            forms = self._known.find(name)
        except GpuUnknown:
            return []
        return next(filter(None, map(self.of_class, forms)), [])

    def of_class(self, gpu: GpuClass | None) -> list[NodeFacts]:
        """The nodes of a class that runs may go to."""
        if self._facts is None:
            return []
        classes = [gpu] if gpu else []
        return [
            node
            for node in (self._facts.of(gpu) if gpu else self._facts).nodes
            if is_open(node, classes, self._settings)
        ]

    @cached_property
    def keeping(self) -> dict[str, KeepingNode]:
        """All nodes by name, with their images; none where they may not be listed."""
        try:
            nodes = everything(self._client, NODES, KeepingNode).items
        except ApiForbidden:
            return {}
        return {node.metadata.name: node for node in nodes}

    @cached_property
    def _facts(self) -> ClusterFacts | None:
        return of_nodes(self.keeping.values(), None) if self.keeping else None
