"""What pre-warming reads of the API's objects. See `objects`."""

from __future__ import annotations

import msgspec

from dispatcher.kubernetes.objects import Condition, Meta, Node, NodeStatus, Part
from dispatcher.kubernetes.prewarm import IMAGES, PREWARM, REVISION, WarmImage
from dispatcher.kubernetes.pull_job_objects import PullSpec, PullStatus, WarmerMeta
from dispatcher.kubernetes.run_objects import ContainerState, ContainerStatus
from packer.record import decode


class KeptImage(Part, frozen=True):
    """An image that a node says it has."""

    names: list[str] | None = []
    size_bytes: int = 0


class KeepingStatus(NodeStatus, frozen=True):
    """status of a node, with its images: by default the 50 largest at most."""

    images: list[KeptImage] = []


class KeepingNode(Node, frozen=True):
    """A node that tells its images."""

    status: KeepingStatus = KeepingStatus()


class FieldTerm(Part, frozen=True):
    """What a field of a node must be."""

    values: list[str] = []


class NodeTerm(Part, frozen=True):
    """One way in which a node can suit."""

    match_fields: list[FieldTerm] = []


class NodeTerms(Part, frozen=True):
    """The nodes that suit."""

    node_selector_terms: list[NodeTerm] = []


class NodeAffinity(Part, frozen=True):
    """Which nodes a pod may go on."""

    required_during_scheduling_ignored_during_execution: NodeTerms = NodeTerms()


class Affinity(Part, frozen=True):
    """Where a pod may go."""

    node_affinity: NodeAffinity = NodeAffinity()


class WarmingSpec(Part, frozen=True):
    """spec of a DaemonSet's pod."""

    node_name: str = ""
    affinity: Affinity = Affinity()


class WarmingContainer(ContainerStatus, frozen=True):
    """A container, with how it ended before it was started again."""

    last_state: ContainerState = ContainerState()


class WarmingStatus(Part, frozen=True):
    """status of a DaemonSet's pod."""

    conditions: list[Condition] = []
    init_container_statuses: list[WarmingContainer] = []


class Labelled(Part, frozen=True):
    """An object of a pre-warming."""

    metadata: Meta

    @property
    def prewarm(self) -> str:
        """The class that it belongs to."""
        return self.metadata.labels.get(PREWARM, "")

    @property
    def revision(self) -> str:
        """Which request of that class it does, or did when it was made; empty for a job."""
        return self.metadata.labels.get(REVISION, "")


class WarmingPod(Labelled, frozen=True):
    """A pod that has images pulled: its revision is its DaemonSet's of when it was made."""

    spec: WarmingSpec = WarmingSpec()
    status: WarmingStatus = WarmingStatus()

    @property
    def node(self) -> str:
        """The node that it is on, or is meant for: its controller makes it for one."""
        terms = self.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution
        fields = (field for term in terms.node_selector_terms for field in term.match_fields)
        meant = next((value for field in fields for value in field.values), "")
        return self.spec.node_name or meant


class Warmer(Labelled, frozen=True):
    """A DaemonSet or an ImagePullJob of ours. Spec and status are only read of the latter."""

    metadata: WarmerMeta
    spec: PullSpec = PullSpec()
    status: PullStatus = PullStatus()

    @property
    def leaving(self) -> bool:
        """Whether it is deleted, and only waits for its controller to let it go."""
        return bool(self.metadata.deletion_timestamp)

    @property
    def done_at(self) -> str:
        """When the last of a job's nodes had its image or was given up: RFC 3339; empty before.

        A job that serves nodes which come later has no time of completion.
        """
        status = self.status
        if not status.ended:
            return ""
        return status.completion_time or self.metadata.told or status.start_time or ""

    @property
    def images(self) -> tuple[WarmImage, ...] | None:
        """What it has pulled; None where somebody has changed what it says of that."""
        try:
            return decode(self.metadata.annotations.get(IMAGES, "[]"), tuple[WarmImage, ...])
        except (msgspec.ValidationError, ValueError):
            return None
