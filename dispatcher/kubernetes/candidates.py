"""One GPU class that was asked for, and the nodes that can ever run it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.kubernetes import drivers, placement
from dispatcher.kubernetes.cluster_facts import CPU, MEMORY, NodeFacts
from dispatcher.kubernetes.gpu_classes import GpuClass
from dispatcher.kubernetes.refusals import DriverTooOld, Impossible, KeptOff, PlatformUnfit
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Resources
from packer.record import Record

_SHARE = 0.75
"""Of a GPU's part of its node's cores and memory; the rest is for what else runs there."""
_SHOWN = 5


class Candidate(Record, frozen=True):
    """A class and count, or no GPU at all, with the nodes that fit."""

    gpu: GpuClass | None
    count: int
    nodes: tuple[NodeFacts, ...] = ()

    @property
    def has_room(self) -> bool:
        """Whether a node has that many free, or it is not known that none has."""
        if self.gpu is None or not self.nodes:
            return True
        free = [node.free(self.gpu.resource) for node in self.nodes]
        return any(each is None or each >= self.count for each in free)

    def share(self, resource: str) -> float:
        """What a pod may take of the smallest of the nodes; 0 where there is none."""
        gpu = self.gpu
        if gpu is None:
            return 0
        per_gpu = (
            node.allocatable.get(resource, 0) / node.count(gpu.resource) for node in self.nodes
        )
        return min(per_gpu, default=0) * self.count * _SHARE


class Terms(Record, frozen=True):
    """What nodes have to meet besides having the GPUs."""

    resources: Resources
    settings: ClusterSettings
    driver: drivers.Version = ()


def candidate(
    gpu: GpuClass | None, count: int, nodes: Sequence[NodeFacts], terms: Terms
) -> Candidate:
    """The nodes of `nodes`, which are of the class, that can run it when they are idle.

    Raises:
        PlatformUnfit, KeptOff, Impossible, DriverTooOld
    """
    open_to = _open(nodes, gpu, terms.settings)
    fitting = [node for node in open_to if _fits(node, gpu, count, terms.resources)]
    if not fitting:
        raise Impossible(
            _show(gpu, count, terms.resources), _most(open_to, gpu), _lines(open_to, gpu)
        )
    current = [node for node in fitting if node.driver is None or node.driver >= terms.driver]
    if gpu and not current:
        found = sorted({node.driver for node in fitting if node.driver})
        needed = drivers.show(terms.driver)
        raise DriverTooOld(needed, f"no node of {gpu.name} has it", [*map(drivers.show, found)])
    return Candidate(gpu=gpu, count=count, nodes=tuple(current if gpu else fitting))


def _open(
    nodes: Sequence[NodeFacts], gpu: GpuClass | None, settings: ClusterSettings
) -> list[NodeFacts]:
    classes = [gpu] if gpu else []
    found = [node for node in nodes if placement.is_open(node, classes, settings)]
    if found:
        return found
    name = gpu.name if gpu else "a run without GPU"
    needed, platforms = placement.platform(settings), {node.platform for node in nodes}
    if needed not in platforms:
        raise PlatformUnfit(name, needed, sorted(platforms))
    taints = {each for node in nodes for each in placement.untolerated(node, classes, settings)}
    labels = {each for node in nodes for each in placement.unselected(node, settings)}
    raise KeptOff(name, sorted(taints), sorted(labels))


def _fits(node: NodeFacts, gpu: GpuClass | None, count: int, resources: Resources) -> bool:
    return (
        (gpu is None or node.count(gpu.resource) >= count)
        and node.allocatable.get(CPU, 0) >= resources.cpus
        and node.allocatable.get(MEMORY, 0) >= resources.memory
    )


def _show(gpu: GpuClass | None, count: int, resources: Resources) -> str:
    parts = [f"{count} × {gpu.name}"] if gpu else []
    if resources.cpus:
        parts.append(f"{resources.cpus:g} cores")
    if resources.memory:
        parts.append(_gigabytes(resources.memory))
    return " with ".join(filter(None, (", ".join(parts[:1]), " and ".join(parts[1:]))))


def _most(nodes: Sequence[NodeFacts], gpu: GpuClass | None) -> str:
    counts = [f"{max(node.count(gpu.resource) for node in nodes)} × {gpu.name}"] if gpu else []
    cores = max(node.allocatable.get(CPU, 0) for node in nodes)
    memory = max(node.allocatable.get(MEMORY, 0) for node in nodes)
    return ", ".join([*counts, f"{cores:g} cores", _gigabytes(memory)])


def _lines(nodes: Sequence[NodeFacts], gpu: GpuClass | None) -> list[str]:
    lines = [f"{node.name}: {_most([node], gpu)}" for node in nodes[:_SHOWN]]
    return lines + [f"and {len(nodes) - _SHOWN} more"] * (len(nodes) > _SHOWN)


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.3g} GB"
