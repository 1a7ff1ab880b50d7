"""What a cluster has of each GPU class, for people who choose one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from dispatcher.gpu_expression import canonical
from dispatcher.kubernetes import placement
from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.cluster_facts import ClassFacts, ClusterFacts, NodeFacts
from dispatcher.kubernetes.gpu_classes import GpuClass, slices
from dispatcher.kubernetes.settings import ClusterSettings
from packer.record import Record

_GPU, _MIG = "/gpu", "/mig-"


class Offer(Record, frozen=True):
    """One class, or one size of slice, on the nodes that runs may go to.

    Where they may go to none, on all nodes of the class. Counts are of GPUs; None is unknown.
    """

    name: str
    resource: str
    memory: int
    """Bytes of one; 0 where unknown."""
    nodes: int
    count: int
    free: int | None
    largest: int
    """On the node that has most."""
    largest_free: int | None
    """On the node that has most of them free."""
    drivers: tuple[str, ...]
    queue: str
    taints: tuple[str, ...]
    """What keeps runs off further nodes, or off all of them; as kubectl writes it."""
    labels: tuple[str, ...]
    """Those for which the node selector does not take such nodes: "kubernetes.io/arch=arm64"."""
    kept_off: int
    """GPUs on nodes that keep runs off."""
    usable: bool
    """Whether there are nodes that runs may go to."""
    own: bool
    """Whether the site's configuration says what it is."""

    @property
    def counted(self) -> str:
        """Its name, and how many there are: "h100 (8)"."""
        return f"{self.name} ({self.count})"


class Unnamed(Record, frozen=True):
    """GPUs that no class describes."""

    product: str
    """What GPU Feature Discovery calls them; empty where it does not."""
    resource: str
    nodes: int
    count: int


def offers(
    catalogue: Catalogue, facts: ClusterFacts, settings: ClusterSettings, *, lacking: bool = False
) -> Iterator[Offer]:
    """Those of the cluster; with `lacking` also the classes that it has not."""
    for gpu in catalogue:
        whole = facts.of(gpu)
        if whole.nodes or lacking:
            yield offer(whole, settings)
        for cut in _slices(gpu, facts):
            yield offer(cut, settings)


def unnamed(catalogue: Catalogue, facts: ClusterFacts) -> list[Unnamed]:
    """The GPUs that can't be asked for, as no class is of them."""
    classes = [*catalogue, *(form for gpu in catalogue for form in _forms(gpu))]
    found: dict[tuple[str, str], list[int]] = {}
    for node in facts.nodes:
        known = {gpu.resource for gpu in classes if node.is_of(gpu)}
        for resource in _gpu_resources(node):
            if resource not in known and node.count(resource):
                found.setdefault((node.product, resource), []).append(node.count(resource))
    return [
        Unnamed(product=product, resource=resource, nodes=len(counts), count=sum(counts))
        for (product, resource), counts in sorted(found.items())
    ]


def _forms(gpu: GpuClass) -> Iterator[GpuClass]:
    for profile in gpu.mig:
        yield from slices(gpu, profile)


def _slices(gpu: GpuClass, facts: ClusterFacts) -> Iterator[ClassFacts]:
    """The slices of a class that the cluster has, whichever form they have there."""
    for form in _forms(gpu):
        cut = facts.of(form)
        if cut.nodes:
            yield cut


def _gpu_resources(node: NodeFacts) -> Iterable[str]:
    return (name for name in node.allocatable if name.endswith(_GPU) or _MIG in name)


def offer(facts: ClassFacts, settings: ClusterSettings) -> Offer:
    """What the nodes of a class come to."""
    gpu = facts.gpu
    inside = [node for node in facts.nodes if placement.is_open(node, [gpu], settings)]
    outside = ClassFacts(gpu=gpu, nodes=tuple(x for x in facts.nodes if x not in inside))
    shown = ClassFacts(gpu=gpu, nodes=tuple(inside)) if inside else facts
    taints = (placement.untolerated(node, [gpu], settings) for node in outside.nodes)
    labels = (placement.unselected(node, settings) for node in outside.nodes)
    return Offer(
        name=gpu.name,
        resource=gpu.resource,
        memory=gpu.memory,
        nodes=len(shown.nodes),
        count=shown.allocatable,
        free=shown.free,
        largest=shown.largest,
        largest_free=shown.largest_free,
        drivers=shown.driver_versions,
        queue=gpu.queue or settings.queue,
        taints=tuple(sorted(set(chain.from_iterable(taints)))),
        labels=tuple(sorted(set(chain.from_iterable(labels)))),
        kept_off=outside.allocatable,
        usable=bool(inside),
        own=gpu.name in map(canonical, settings.gpu_classes),
    )
