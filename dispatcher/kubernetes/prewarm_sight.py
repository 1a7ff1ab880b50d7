"""Which node has which image, as far as anybody can tell. Pure.

The pod that has it pulled says so, or else OpenKruise's job and the node's own list, in which at
most 50 images are and which is up to minutes old.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from dispatcher.kubernetes import prewarm_troubles
from dispatcher.kubernetes.image_pulls import PULLING, of_pull
from dispatcher.kubernetes.objects import Condition
from dispatcher.kubernetes.prewarm import WarmImage
from dispatcher.kubernetes.prewarm_objects import (
    KeepingNode,
    Warmer,
    WarmingContainer,
    WarmingPod,
)
from dispatcher.kubernetes.prewarm_troubles import NOT_MADE, NOT_STARTED
from dispatcher.kubernetes.run_objects import Waiting
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import Trouble, seconds
from packer.record import Record

State = Literal["here", "pulling", "waiting", "failed", "absent"]
LISTED = 50
"""Images that a kubelet lists (KubeletConfiguration, nodeStatusMaxImages)."""
_LAG = 600.0
"""Seconds after which a node's list has what was pulled; kubelets report every 5 minutes."""
_BEST: tuple[State, ...] = ("here", "failed", "pulling", "absent")
"""What counts of several jobs that have the same image pulled on one node."""


class Warmth(Record, frozen=True):
    """One image on one node."""

    prewarm: str
    """The class."""
    node: str
    image: WarmImage
    state: State
    since: str = ""
    """When it was pulled, as its pod or job says: RFC 3339; empty where that is not known."""
    size: int = 0
    """Bytes, as the node says; 0 where it does not."""
    trouble: Trouble | None = None


class Seen(Record, frozen=True):
    """What there is to see of one class on one node."""

    prewarm: str
    node: str
    keeping: KeepingNode | None = None
    """None where nodes may not be listed."""
    pod: WarmingPod | None = None
    jobs: tuple[Warmer, ...] = ()
    """OpenKruise's."""
    now: float = 0
    """By the cluster's clock, in seconds since the epoch."""

    @property
    def labels(self) -> dict[str, str] | None:
        """The node's; None where they may not be seen."""
        return self.keeping.metadata.labels if self.keeping else None

    @property
    def lists_all(self) -> bool:
        """Whether what the node does not list is not there."""
        return self.keeping is not None and len(self.keeping.status.images) < LISTED


def warmth(seen: Seen, images: Sequence[WarmImage], settings: ClusterSettings) -> list[Warmth]:
    """A line for each image, in their order."""
    lines: list[Warmth] = []
    for image in images:
        size = _size(seen.keeping, image)
        line = Warmth(prewarm=seen.prewarm, node=seen.node, image=image, state="waiting", size=size)
        lines.append(_of_jobs(line, seen) if seen.jobs else _of_pod(line, seen.pod, settings))
    return lines


def unknown(prewarm: str) -> Warmth:
    """The line of a class of which an object does not tell its images any more: no node's."""
    image = WarmImage(reference="", python="", title="unknown")
    trouble = prewarm_troubles.unknown(prewarm)
    return Warmth(prewarm=prewarm, node="-", image=image, state="failed", trouble=trouble)


def settled(lines: Sequence[Warmth], now: float) -> bool:
    """Whether nothing more will come: it is there, nobody pulls it again, or its time is over."""
    return all(
        line.state in ("here", "absent") or (line.trouble is not None and line.trouble.over(now))
        for line in lines
    )


def _of_pod(line: Warmth, pod: WarmingPod | None, settings: ClusterSettings) -> Warmth:
    if pod is None:
        return line
    made = seconds(pod.metadata.creation_timestamp)
    container = _container(pod, line.image)
    told = _of_container(line, container, made, settings) if container else None
    if told:
        return told
    refused = _refused(pod.status.conditions)
    if refused:
        return _with(line, "waiting", trouble=prewarm_troubles.no_place(refused, made, settings))
    first = next((each.name for each in _waiting(pod)), "")
    return _with(line, "pulling" if first == line.image.container else "waiting")


def _of_container(
    line: Warmth, container: WarmingContainer, made: float, settings: ClusterSettings
) -> Warmth | None:
    """What the container that has the image pulled says; None where that is not enough."""
    # What failed is started again, and then says of itself only that it waits.
    ended = container.state.terminated or container.last_state.terminated
    running, waiting = container.state.running, container.state.waiting or Waiting()
    if waiting.reason in PULLING:
        return _with(line, "failed", trouble=of_pull(waiting, [], made, settings))
    if ended and ended.exit_code:
        trouble = prewarm_troubles.broken(ended, waiting, made)
        return _with(line, "failed", since=ended.started_at or "", trouble=trouble)
    if begun := ended or running:
        return _with(line, "here", since=begun.started_at or "")
    if waiting.reason in NOT_STARTED:
        return _with(line, "failed", trouble=prewarm_troubles.broken(None, waiting, made))
    if waiting.reason in NOT_MADE:
        return _with(line, "failed", trouble=prewarm_troubles.not_made(waiting, made, settings))
    return None


def _of_jobs(line: Warmth, seen: Seen) -> Warmth:
    """What OpenKruise says: each way to be of the class has a job, and a node may have several."""
    told = [
        _of_job(line, job, seen)
        for job in seen.jobs
        if job.spec.image == line.image.reference
        and job.spec.selector.takes(seen.node, seen.labels)
    ]
    nobody = _with(line, "here" if line.size else "absent")
    return min(told, key=lambda each: _BEST.index(each.state), default=nobody)


def _of_job(line: Warmth, job: Warmer, seen: Seen) -> Warmth:
    status = job.status
    if line.size:
        return _with(line, "here", since=job.done_at)
    if seen.node in (status.failed_nodes or ()):
        since = seconds(status.start_time)
        return _with(line, "failed", trouble=prewarm_troubles.not_pulled(status.message, since))
    if not status.ended:
        return _with(line, "pulling")
    # Nothing keeps it there, and what a kubelet removes nobody pulls again.
    gone = seen.lists_all and seen.now - seconds(job.done_at) > _LAG
    return _with(line, "absent") if gone else _with(line, "here", since=job.done_at)


def _with(line: Warmth, state: State, *, since: str = "", trouble: Trouble | None = None) -> Warmth:
    return replace(line, state=state, since=since, trouble=trouble)


def _size(keeping: KeepingNode | None, image: WarmImage) -> int:
    """Bytes of an image that a node lists; 0 of one that it does not."""
    for each in keeping.status.images if keeping else ():
        # Under another name it may be there too, but that is not how runs ask for it.
        if image.reference in (each.names or ()):
            return max(1, each.size_bytes)
    return 0


def _container(pod: WarmingPod, image: WarmImage) -> WarmingContainer | None:
    statuses = pod.status.init_container_statuses
    return next((each for each in statuses if each.name == image.container), None)


def _waiting(pod: WarmingPod) -> list[WarmingContainer]:
    return [each for each in pod.status.init_container_statuses if not each.state.terminated]


def _refused(conditions: Sequence[Condition]) -> str:
    """Why a pod has no node."""
    for each in conditions:
        if each.type == "PodScheduled" and each.status == "False":
            return each.message or each.reason
    return ""
