"""Whether a cluster can ever run what is asked for, and on which of its nodes. Pure.

Busy nodes are no reason to refuse: what fits an idle cluster is queued.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dispatcher.gpu_expression import Wanted, canonical, parse
from dispatcher.kubernetes import drivers, placement
from dispatcher.kubernetes.candidates import Candidate, Terms, candidate
from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.cluster_facts import CPU, MEMORY, ClusterFacts
from dispatcher.kubernetes.gpu_classes import GpuClass
from dispatcher.kubernetes.offers import offers
from dispatcher.kubernetes.refusals import GpuNotHere, PlatformUnfit
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Resources
from packer.errors import SendoffError
from packer.record import Record

_MEMORY_STEP = 256 << 20


class Choice(Record, frozen=True):
    """What a run's pods ask for."""

    classes: tuple[GpuClass, ...] = ()
    """The best first; all offer the same resource. None for a run without GPU."""
    count: int = 0
    """GPUs of one pod."""
    cpus: float = 1
    memory: int = 2 << 30
    driver_label: str = ""
    """The label that tells nodes with too old a driver apart, where some have one."""
    driver_major: int = 0
    """The least value of that label."""


class Admission:
    """Judges requests for one cluster. `facts` is None where its nodes may not be listed."""

    def __init__(
        self, catalogue: Catalogue, facts: ClusterFacts | None, settings: ClusterSettings
    ) -> None:
        self._catalogue, self._facts, self._settings = catalogue, facts, settings

    def admit(self, resources: Resources, driver: drivers.Version = ()) -> Choice:
        """What the pods ask for, with the target's own choice where the request leaves it open.

        `driver` is the oldest that the image's CUDA libraries work with; () for any. Several
        classes can share a Job if they offer the same resource and the same count is asked of
        each; of those that can't, the first with a free node is taken.

        Raises:
            GpuExpressionInvalid, GpuUnknown, GpuNotHere, PlatformUnfit, Impossible, DriverTooOld,
            KeptOff
        """
        terms = Terms(resources=resources, settings=self._settings, driver=driver)
        wanted = parse(resources.gpu)
        if not wanted:
            return self._choice([self._without_gpu(terms)], terms)
        forms = [(each, self._catalogue.find(each.name)) for each in wanted]
        found, refused = [], []
        for each, form in forms:
            try:
                found.append(self._candidate(each, form, terms))
            except SendoffError as refusal:
                refused.append(refusal)
        if not found:
            raise next((each for each in refused if not isinstance(each, GpuNotHere)), refused[0])
        return self._choice(found, terms)

    def _without_gpu(self, terms: Terms) -> Candidate:
        if self._facts is None or not self._facts.nodes:
            return Candidate(gpu=None, count=0)
        return candidate(None, 0, self._facts.nodes, terms)

    def _candidate(self, wanted: Wanted, forms: Sequence[GpuClass], terms: Terms) -> Candidate:
        if self._facts is None:
            return self._unseen(forms[0], wanted.count)
        for gpu in forms:
            nodes = self._facts.of(gpu).nodes
            if nodes:
                return candidate(gpu, wanted.count, nodes, terms)
        if forms[0].name in map(canonical, self._settings.scalable):
            return self._unseen(forms[0], wanted.count)
        raise GpuNotHere(forms[0].name, self._here(self._facts), _products(self._facts))

    def _unseen(self, gpu: GpuClass, count: int) -> Candidate:
        """Of a class whose nodes nobody sees: what they are is in the catalogue alone."""
        needed, known = placement.platform(self._settings), f"linux/{gpu.arch}"
        if known != needed:
            raise PlatformUnfit(gpu.name, needed, [known])
        return Candidate(gpu=gpu, count=count)

    def _here(self, facts: ClusterFacts) -> list[str]:
        """What can be asked for instead."""
        found = offers(self._catalogue, facts, self._settings)
        return [each.counted for each in found if each.usable]

    def _choice(self, found: list[Candidate], terms: Terms) -> Choice:
        first = next((each for each in found if each.has_room), found[0])
        alike = [each for each in found if _kind(each) == _kind(first)]
        label, major = _driver_floor(alike, terms, self._facts)
        return Choice(
            classes=tuple(each.gpu for each in alike if each.gpu),
            count=first.count,
            cpus=terms.resources.cpus or _cpus(alike) or self._settings.cpus,
            memory=terms.resources.memory or _memory(alike) or self._settings.memory,
            driver_label=label,
            driver_major=major,
        )


def _kind(found: Candidate) -> tuple[str, int, str]:
    """A Job has one pod template: one resource, one count, one runtime."""
    if found.gpu is None:
        return "", 0, ""
    return found.gpu.resource, found.count, found.gpu.runtime_class


def _cpus(found: Sequence[Candidate]) -> float:
    share = min(each.share(CPU) for each in found)
    return float(math.floor(share)) if share >= 1 else math.floor(share * 100) / 100


def _memory(found: Sequence[Candidate]) -> int:
    return int(min(each.share(MEMORY) for each in found)) // _MEMORY_STEP * _MEMORY_STEP


def _driver_floor(
    found: Sequence[Candidate], terms: Terms, facts: ClusterFacts | None
) -> tuple[str, int]:
    """What keeps pods off nodes of the classes whose driver is too old."""
    gpus = [each.gpu for each in found if each.gpu]
    if facts is None or not terms.driver or not gpus:
        return "", 0
    for node in facts.nodes:
        too_old = node.driver is not None and node.driver < terms.driver
        if too_old and any(node.is_of(gpu) for gpu in gpus):
            return drivers.major_label(node.labels), terms.driver[0]
    return "", 0


def _products(facts: ClusterFacts) -> list[str]:
    """What nodes say of GPUs that are of no known class."""
    return sorted({product for node in facts.nodes if (product := node.product)})
