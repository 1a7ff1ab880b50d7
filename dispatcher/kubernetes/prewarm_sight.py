"""Which node has which image, as far as anybody can tell. Pure.

The pod that has it pulled says so, or else OpenKruise's job and the node's own list, in which at
most 50 images are and which is up to minutes old.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from dispatcher.kubernetes.image_pulls import PULLING, of_pull
from dispatcher.kubernetes.objects import Condition
from dispatcher.kubernetes.prewarm import WarmImage
from dispatcher.kubernetes.prewarm_objects import KeepingNode, Warmer, WarmingPod
from dispatcher.kubernetes.run_objects import ContainerState, ContainerStatus
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import Trouble, seconds, trouble
from packer.record import Record

State = Literal["here", "pulling", "waiting", "failed", "absent"]
LISTED = 50
"""Images that a kubelet lists (KubeletConfiguration, nodeStatusMaxImages)."""
_LAG = 600.0
"""Seconds after which a node's list has what was pulled; kubelets report every 5 minutes."""


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


def settled(lines: Sequence[Warmth], now: float) -> bool:
    """Whether nothing more will come: everything is there, or its time is over."""
    return all(
        line.state == "here" or (line.trouble is not None and line.trouble.over(now))
        for line in lines
    )


def _of_pod(line: Warmth, pod: WarmingPod | None, settings: ClusterSettings) -> Warmth:
    if pod is None:
        return line
    made = seconds(pod.metadata.creation_timestamp)
    state = _state(pod, line.image)
    if state and (state.terminated or state.running):
        ended = state.terminated
        since = (ended.started_at if ended else state.running and state.running.started_at) or ""
        if ended and ended.exit_code:
            return _with(line, "failed", since=since, trouble=_broken(ended.message, made))
        return _with(line, "here", since=since)
    if state and state.waiting and state.waiting.reason in PULLING:
        return _with(line, "failed", trouble=of_pull(state.waiting, [], made, settings))
    refused = _refused(pod.status.conditions)
    if refused:
        return _with(line, "waiting", trouble=_no_place(refused, made, settings))
    first = next((each.name for each in _waiting(pod)), "")
    return _with(line, "pulling" if first == line.image.container else "waiting")


def _of_jobs(line: Warmth, seen: Seen) -> Warmth:
    job = next((each for each in seen.jobs if line.image in each.images), None)
    status = job.status if job else None
    if line.size:
        return _with(line, "here", since=(status and status.completion_time) or "")
    if status and seen.node in (status.failed_nodes or ()):
        said = status.message or "OpenKruise says no more"
        since = seconds(status.start_time)
        return _with(line, "failed", trouble=_not_pulled(said, since))
    if status and status.desired and status.succeeded >= status.desired:
        when = status.completion_time or status.start_time or ""
        # Nothing keeps it there, and what a kubelet removes nobody pulls again.
        gone = seen.lists_all and seen.now - seconds(when) > _LAG
        return _with(line, "absent") if gone else _with(line, "here", since=when)
    return _with(line, "pulling" if status else "waiting")


def _with(line: Warmth, state: State, *, since: str = "", trouble: Trouble | None = None) -> Warmth:
    return replace(line, state=state, since=since, trouble=trouble)


def _size(keeping: KeepingNode | None, image: WarmImage) -> int:
    """Bytes of an image that a node lists; 0 of one that it does not."""
    for each in keeping.status.images if keeping else ():
        # Under another name it may be there too, but that is not how runs ask for it.
        if image.reference in (each.names or ()):
            return max(1, each.size_bytes)
    return 0


def _state(pod: WarmingPod, image: WarmImage) -> ContainerState | None:
    statuses = pod.status.init_container_statuses
    return next((each.state for each in statuses if each.name == image.container), None)


def _waiting(pod: WarmingPod) -> list[ContainerStatus]:
    return [each for each in pod.status.init_container_statuses if not each.state.terminated]


def _refused(conditions: Sequence[Condition]) -> str:
    """Why a pod has no node."""
    for each in conditions:
        if each.type == "PodScheduled" and each.status == "False":
            return each.message or each.reason
    return ""


def _broken(said: str, since: float) -> Trouble:
    return trouble(
        "IMAGE_UNUSABLE",
        "the image is there, but its Python does not start",
        blame="config",
        evidence=[said],
        fix="build the base again, and verify it: sendoff base verify",
        since=since,
    )


def _no_place(said: str, since: float, settings: ClusterSettings) -> Trouble:
    return trouble(
        "UNSCHEDULABLE",
        "the node has no room for the pod that has images pulled",
        blame="capacity",
        evidence=[said],
        fix="kubectl describe node shows what is on it; a pod of 1m of a core and 48Mi has to fit",
        since=since,
        grace=settings.pending_timeout,
    )


def _not_pulled(said: str, since: float) -> Trouble:
    return trouble(
        "IMAGE_PULL",
        "OpenKruise could not pull the image",
        blame="infra",
        evidence=[said],
        fix="kubectl get nodeimages shows its tries; the nodes must reach the registry",
        since=since,
    )
