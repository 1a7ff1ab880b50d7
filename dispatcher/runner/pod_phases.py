"""What came before each input of a pod, from the little that a pod knows of itself."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pod_assignment import PodAssignment


class PodPhases:
    """Made as soon as the pod's process starts.

    The kubelet mounts volumes when a pod has come to its node, and pulls its image then: the time
    at which it wrote the Secret, which seldom changes so early, lies between the two. What would
    come out negative, because two clocks disagree, is not known.
    """

    def __init__(self) -> None:
        self._arrived, self._placed = time.time(), time.monotonic()
        self._first = True

    def of_next(
        self, told: PodAssignment, folder: str, attempt: int
    ) -> tuple[dict[str, float], float]:
        """Of the next input: `before` and `placed`, as `phases.Phases` has them.

        `folder` is where the Secret is mounted. How long the later attempts of a pod's inputs
        were queued, nobody here knows.
        """
        if not self._first:
            queued = time.time() - told.sent if told.sent and attempt == 1 else None
            return _known({"queued": queued, "pulling": 0.0}), time.monotonic()
        self._first = False
        pulling = told.pulling
        if pulling is None and (mounted := _mounted(folder)):
            pulling = self._arrived - mounted
        queued = None
        if told.sent and attempt == 1 and pulling is not None:
            queued = self._arrived - pulling - told.sent
        return _known({"queued": queued, "pulling": pulling}), self._placed


def _known(seconds: dict[str, float | None]) -> dict[str, float]:
    return {name: each for name, each in seconds.items() if each is not None and each >= 0}


def _mounted(folder: str) -> float:
    """When the kubelet wrote the Secret; 0 where it was no kubelet.

    It puts the files into a folder of their own and a link `..data` to it in their place
    (k8s.io/kubernetes/pkg/volume/util, AtomicWriter).
    """
    try:
        return os.stat(f"{folder}/..data").st_mtime
    except OSError:
        return 0.0
