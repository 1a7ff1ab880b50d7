"""Why a run waits or failed, from what the cluster says of it. Pure.

The order is that in which causes hide each other: the queue, the Job, the pod's place on a node,
its containers, how it ended, its node. What the cluster says is quoted, not paraphrased.
"""

from __future__ import annotations

from dispatcher.kubernetes import job_troubles, pod_endings, pod_waits
from dispatcher.kubernetes.objects import Event, Node, Unseen, Workload
from dispatcher.kubernetes.run_objects import Job, Pod
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import Trouble
from packer.record import Record


class Situation(Record, frozen=True):
    """What is known of one pod of a run, or of a run without pods."""

    job: Job | None = None
    """None where it is gone."""
    pod: Pod | None = None
    """The latest of its index."""
    events: tuple[Event, ...] = ()
    """Of the Job and of the pod, the oldest first."""
    node: Node | None = None
    """The pod's, where it could be asked for."""
    workload: Workload | Unseen | None = None
    """Kueue's, where the Job is left to it; None where Kueue has none of it."""
    now: float = 0
    """The time by the cluster's clock, as seconds since the epoch."""


def diagnose(situation: Situation, settings: ClusterSettings) -> Trouble | None:
    """The first trouble that explains the others; None where all is well."""
    job, pod = situation.job, situation.pod
    if job and job.spec.suspend:
        return job_troubles.queued(job, situation.workload, settings)
    if job and (found := job_troubles.ended(job)):
        return found
    if pod is None:
        events = [each for each in situation.events if each.involved_object.kind == "Job"]
        return job_troubles.without_pods(job, events, settings, situation.now) if job else None
    if pod.ended:
        return pod_endings.of(pod, situation.events)
    if found := pod_endings.lost(pod, situation.node, situation.now):
        return found
    pending = pod.status.phase == "Pending"
    return pod_waits.of(pod, situation.events, settings, situation.now) if pending else None
