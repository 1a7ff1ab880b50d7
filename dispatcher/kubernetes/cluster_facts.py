"""What a cluster's nodes offer, class by class. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dispatcher.kubernetes import drivers, quantity
from dispatcher.kubernetes.gpu_classes import PRODUCT, GpuClass, Labels
from dispatcher.kubernetes.objects import Node, Taint, UsingPod, condition
from packer.record import Record

CPU, MEMORY = "cpu", "memory"
OS, ARCH = "kubernetes.io/os", "kubernetes.io/arch"
_UNKNOWN = "unknown"


class NodeFacts(Record, frozen=True):
    """One node. Cores, bytes and counts by resource name."""

    name: str
    labels: dict[str, str]
    allocatable: dict[str, float]
    used: dict[str, float] | None
    """By pods on it; None where they may not be seen."""
    open: bool
    """Ready, and not cordoned."""
    taints: tuple[Taint, ...] = ()
    driver: tuple[int, ...] | None = None

    @property
    def product(self) -> str:
        """The name of its GPUs by GPU Feature Discovery; empty where it has none, or not that."""
        return self.labels.get(PRODUCT, "")

    @property
    def platform(self) -> str:
        """By its kubelet: "linux/arm64"."""
        return f"{self.labels.get(OS, _UNKNOWN)}/{self.labels.get(ARCH, _UNKNOWN)}"

    def count(self, resource: str) -> int:
        """How many of a resource it has."""
        return int(self.allocatable.get(resource, 0))

    def free(self, resource: str) -> float | None:
        """How much of a resource no pod uses; None where that is not known."""
        if self.used is None:
            return None
        if not self.open:
            return 0
        return max(0, self.allocatable.get(resource, 0) - self.used.get(resource, 0))

    def is_of(self, gpu: GpuClass) -> bool:
        """Whether it offers GPUs of this class."""
        if not self.count(gpu.resource):
            return False
        return not gpu.labels or any(matches(labels, self.labels) for labels in gpu.labels)


class ClassFacts(Record, frozen=True):
    """All nodes of one class. Counts are of GPUs."""

    gpu: GpuClass
    nodes: tuple[NodeFacts, ...]

    @property
    def allocatable(self) -> int:
        """On all nodes together."""
        return sum(node.count(self.gpu.resource) for node in self.nodes)

    @property
    def free(self) -> int | None:
        """On all nodes together; None where that is not known."""
        return _sum(node.free(self.gpu.resource) for node in self.nodes)

    @property
    def largest(self) -> int:
        """On the node that has most."""
        return max((node.count(self.gpu.resource) for node in self.nodes), default=0)

    @property
    def largest_free(self) -> int | None:
        """On the node that has most of them free; None where that is not known."""
        free = [node.free(self.gpu.resource) for node in self.nodes]
        return max((int(each or 0) for each in free), default=0) if None not in free else None

    @property
    def driver_versions(self) -> tuple[str, ...]:
        """Those in use, the oldest first."""
        return tuple(map(drivers.show, sorted({node.driver for node in self.nodes if node.driver})))

    @property
    def taints(self) -> tuple[str, ...]:
        """What keeps other pods off them, as kubectl writes it."""
        return tuple(sorted({show_taint(each) for node in self.nodes for each in node.taints}))


class ClusterFacts(Record, frozen=True):
    """All nodes."""

    nodes: tuple[NodeFacts, ...]

    def of(self, gpu: GpuClass) -> ClassFacts:
        """The nodes of a class."""
        return ClassFacts(gpu=gpu, nodes=tuple(node for node in self.nodes if node.is_of(gpu)))


def of_nodes(nodes: Iterable[Node], pods: Iterable[UsingPod] | None) -> ClusterFacts:
    """What nodes offer, and what of it is used; `pods` are those that have not ended.

    `pods` is None where the pods of all namespaces may not be listed.
    """
    used = None if pods is None else _used(pods)
    return ClusterFacts(nodes=tuple(_of_node(node, used) for node in nodes))


def matches(wanted: Labels, labels: Mapping[str, str]) -> bool:
    """Whether a node's labels are as wanted."""
    return all(
        labels[name] in values if name in labels and values else not values and name not in labels
        for name, values in wanted.items()
    )


def show_taint(taint: Taint) -> str:
    """As kubectl writes it: nvidia.com/gpu=present:NoSchedule."""
    return f"{taint.key}{'=' * bool(taint.value)}{taint.value}:{taint.effect}"


def _of_node(node: Node, used: dict[str, dict[str, float]] | None) -> NodeFacts:
    name = node.metadata.name
    ready = condition(node.status.conditions, "Ready") is not None
    return NodeFacts(
        name=name,
        labels=node.metadata.labels,
        allocatable={
            each: quantity.parse(value) for each, value in node.status.allocatable.items()
        },
        used=None if used is None else used.get(name, {}),
        open=ready and not node.spec.unschedulable,
        taints=tuple(node.spec.taints),
        driver=drivers.of_node(node.metadata.labels),
    )


def _used(pods: Iterable[UsingPod]) -> dict[str, dict[str, float]]:
    used: dict[str, dict[str, float]] = {}
    for pod in pods:
        if pod.spec.node_name:
            on_node = used.setdefault(pod.spec.node_name, {})
            for container in pod.spec.containers:
                for name, value in container.resources.requests.items():
                    on_node[name] = on_node.get(name, 0) + quantity.parse(value)
    return used


def _sum(counts: Iterable[float | None]) -> int | None:
    total = 0
    for count in counts:
        if count is None:
            return None
        total += int(count)
    return total
