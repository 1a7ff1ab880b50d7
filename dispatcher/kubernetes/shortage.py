"""How much is free of what a run waits for: the scheduler says it per resource, not per class."""

from __future__ import annotations

import time
from collections.abc import Callable

from dispatcher.gpu_expression import Wanted, parse
from dispatcher.kubernetes import cluster
from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.cluster_facts import ClusterFacts
from dispatcher.kubernetes.offers import Offer, offer
from dispatcher.kubernetes.settings import ClusterSettings

_PERIOD = 15.0
"""Seconds between looks at the nodes."""

Facts = Callable[[], ClusterFacts | None]


class Shortage:
    """Of one run. Nobody is asked before it is known to wait."""

    def __init__(self, gpu: str, facts: Facts, settings: ClusterSettings) -> None:
        """`gpu` is what the run asked for, which was admitted."""
        self._wanted = parse(gpu)
        self._facts, self._settings = facts, settings
        self._again, self._words = 0.0, ""

    def words(self) -> str:
        """Such as "no h100 is free (0 of 2)"; empty where no GPU is wanted, or nothing known."""
        if self._wanted and time.monotonic() >= self._again:
            facts = self._facts()
            self._words = describe(self._wanted, facts, self._settings) if facts else ""
            self._again = time.monotonic() + _PERIOD
        return self._words


def describe(wanted: tuple[Wanted, ...], facts: ClusterFacts, settings: ClusterSettings) -> str:
    """What is free of each class. Pure."""
    known: Catalogue = cluster.catalogue(settings)
    parts = []
    for each in wanted:
        found = [offer(facts.of(form), settings) for form in known.find(each.name)]
        there = next((one for one in found if one.count), None)
        if there:
            parts.append(_part(each, there))
    return "; ".join(parts)


def _part(wanted: Wanted, there: Offer) -> str:
    what = (
        f"no {wanted.name} is" if wanted.count == 1 else f"no node has {wanted.count} {wanted.name}"
    )
    if there.free is None:
        return f"{what} free (of {there.count})"
    most = f", {there.largest_free} on one node" if wanted.count > 1 else ""
    return f"{what} free ({there.free} of {there.count}{most})"
