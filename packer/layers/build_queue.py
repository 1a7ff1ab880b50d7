"""Which layers can be made by now: those whose wheels are all there, the largest first."""

from __future__ import annotations

from collections.abc import Mapping
from queue import PriorityQueue

from packer.digest import Digest
from packer.layers.environment_plan import LayerPlan


class BuildQueue:
    """The plans of an environment's layers, by their keys; several threads may take from it."""

    def __init__(self, plans: Mapping[Digest, LayerPlan]) -> None:
        self._plans = plans
        self._lacking = {key: {pin.sha256 for pin in plan.wheels} for key, plan in plans.items()}
        self._of: dict[str, list[Digest]] = {}
        for key, lacking in self._lacking.items():
            for sha256 in lacking:
                self._of.setdefault(sha256, []).append(key)
        # The largest first, so that none is left to go alone.
        self._ready: PriorityQueue[tuple[int, Digest]] = PriorityQueue()

    def begin(self) -> int:
        """Have those ready that wait for no wheel; how many there are."""
        for key, lacking in self._lacking.items():
            if not lacking:
                self._put(key)
        return self._ready.qsize()

    def arrived(self, sha256: str) -> int:
        """A wheel is there; how many more are ready for it."""
        ready = 0
        for key in self._of.pop(sha256, ()):
            self._lacking[key].discard(sha256)
            if not self._lacking[key]:
                self._put(key)
                ready += 1
        return ready

    def lacking(self) -> frozenset[str]:
        """The sha256 of wheels that have not come."""
        return frozenset(self._of)

    def take(self) -> Digest:
        """The largest of those that are ready.

        Raises:
            queue.Empty: more were taken than got ready.
        """
        return self._ready.get_nowait()[1]

    def _put(self, key: Digest) -> None:
        self._ready.put((-self._plans[key].size, key))
