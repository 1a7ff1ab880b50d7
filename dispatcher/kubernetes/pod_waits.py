"""Why a pod has not started yet: no place, no image, no configuration. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dispatcher.kubernetes.image_pulls import PULLING, of_pull
from dispatcher.kubernetes.objects import Condition, Event
from dispatcher.kubernetes.run_objects import Pod, Waiting
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import NEVER, Trouble, seconds, trouble, words

_BUSY = re.compile(r"Insufficient (\S+?)[,.]?(?:\s|$)|Too many pods")
# What making room for the pod would not bring (scheduler, DefaultPreemption, DynamicResources).
_PREEMPTION = re.compile(r"\s*(?:no new claims to deallocate, ?)?(?:preemption: .*)?$", re.DOTALL)
_SECRET = re.compile(r'secret "[^"]*" not found|couldn\'t find key \S+ in Secret \S+')
_STARTING = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedSync")
_PROMPT = 10.0
"""Seconds within which the scheduler, and then the node, has something to say of a pod."""


def of(
    pod: Pod, events: Sequence[Event], settings: ClusterSettings, now: float = 0
) -> Trouble | None:
    """What a pending pod waits for; None where it is simply on its way.

    `now` is in seconds since the epoch; 0 where nobody has asked how long it has been quiet. What
    may pass has its time from when it began, however long the pod had waited for its turn.
    """
    made = seconds(pod.metadata.creation_timestamp)
    place = next((each for each in pod.status.conditions if each.type == "PodScheduled"), None)
    if place and place.status == "False":
        return _unscheduled(place, events, made, settings)
    began = (seconds(place.last_transition_time) if place else 0) or made
    since = seconds(_first_failure(events)) or began
    waiting = _waiting(pod)
    if waiting and waiting.reason in PULLING:
        return of_pull(waiting, words(events, "Failed"), since, settings)
    if waiting and waiting.reason == "CreateContainerConfigError":
        return _misconfigured(waiting, since, settings)
    if pod.spec.node_name and (waiting or words(events, *_STARTING)):
        return _slow(pod, waiting, events, settings)
    return _unattended(pod, began, settings) if now - began > _PROMPT else None


def _first_failure(events: Sequence[Event]) -> str:
    """When the kubelet first failed with a pod's image or configuration."""
    return min((each.first for each in events if each.reason == "Failed"), default="")


def _unscheduled(
    place: Condition, events: Sequence[Event], made: float, settings: ClusterSettings
) -> Trouble:
    """The scheduler's words, without what preempting others would not bring."""
    said = _PREEMPTION.sub("", place.message).rstrip(" ,")
    lacking = _lacking(said)
    if lacking or place.reason == "SchedulingGated":
        return trouble(
            "QUEUED",
            f"waiting for its turn: no node has {', '.join(lacking) or 'been found'} free",
            blame="capacity",
            evidence=[said],
            fix="sendoff gpus shows what is free",
            since=made,
            grace=settings.queue_timeout or NEVER,
        )
    busy = [each.when for each in events if _lacking(_PREEMPTION.sub("", each.message))]
    return trouble(
        "UNSCHEDULABLE",
        "no node of the cluster takes the pod",
        blame="config",
        evidence=[said],
        fix="sendoff gpus shows the nodes; taints need tolerations in [tool.sendoff]",
        since=max(made, seconds(place.last_transition_time), seconds(max(busy, default=""))),
        grace=settings.pending_timeout,
    )


def _lacking(said: str) -> list[str]:
    """What the scheduler says there is too little of, which others will give back."""
    return sorted({found[1] or "pods" for found in _BUSY.finditer(said)})


def _misconfigured(waiting: Waiting, since: float, settings: ClusterSettings) -> Trouble:
    secret = _SECRET.search(waiting.message)
    return trouble(
        "SECRET_MISSING" if secret else "POD_REFUSED",
        "a secret has no value in the cluster" if secret else "the container can't be configured",
        blame="config",
        evidence=[waiting.message],
        fix=f"kubectl create secret generic {settings.secrets_from} --from-literal=NAME=…"
        if secret
        else "",
        phase="admission" if secret else "schedule",
        since=since,
        grace=settings.image_timeout,
    )


def _slow(
    pod: Pod, waiting: Waiting | None, events: Sequence[Event], settings: ClusterSettings
) -> Trouble:
    """A pod that has its node, and does not come up."""
    wrong = words(events, *_STARTING)
    pulls = [each for each in events if each.reason in ("Pulling", "Pulled")]
    pulling = not wrong and bool(pulls) and pulls[-1].reason == "Pulling"
    said = [pulls[-1].message] if pulling else wrong
    return trouble(
        "STARTING",
        f"{pod.spec.node_name} {'pulls the image' if pulling else 'starts the pod'}",
        blame="infra",
        evidence=said or ([waiting.message] if waiting and waiting.message else []),
        since=seconds(pod.status.start_time or pod.metadata.creation_timestamp),
        grace=settings.pending_timeout,
    )


def _unattended(pod: Pod, since: float, settings: ClusterSettings) -> Trouble:
    """A pod of which nobody has said anything: who should have is not there, or is stalled."""
    node = pod.spec.node_name
    return trouble(
        "STARTING",
        f"{node} has not begun with the pod" if node else "no scheduler has looked at the pod",
        blame="infra",
        fix=f"kubectl describe node {node}"
        if node
        else "kubectl get pods -A shows whether the cluster's scheduler runs",
        since=since,
        grace=settings.pending_timeout,
    )


def _waiting(pod: Pod) -> Waiting | None:
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if status.state.waiting:
            return status.state.waiting
    return None


def given_up(waited: Trouble, run: str) -> Trouble:
    """What a wait of `run` becomes when its time is up; causes with a name of their own keep it."""
    if waited.failure.code not in ("QUEUED", "UNSCHEDULABLE", "STARTING"):
        return waited
    limit = waited.grace
    return trouble(
        "PENDING_TIMEOUT",
        f"it did not start within {limit:.0f} s: {waited.failure.message}",
        blame=waited.failure.blame,
        evidence=waited.failure.evidence,
        fix=waited.failure.fix or f"sendoff rerun {run}, or allow more: pending-timeout",
        since=waited.since,
        grace=limit,
    )
