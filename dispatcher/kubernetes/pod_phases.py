"""Where the seconds of a pod went whose runner left no word of it, by the cluster's stamps. Pure.

The stamps have whole seconds.
"""

from __future__ import annotations

from dispatcher.kubernetes.objects import condition
from dispatcher.kubernetes.run_objects import Job, Pod, Running, Terminated
from dispatcher.kubernetes.trouble import seconds
from dispatcher.run import Phases


def of_pod(job: Job, pod: Pod, now: float = 0) -> Phases:
    """The phases of a pod that ended, or that at `now` is about to be ended.

    All that a container ran counts as running: nobody knows when its command began. A later
    attempt was queued since it was made, the first one since its Job was.
    """
    again = pod.failures > 0
    sent = seconds(pod.metadata.creation_timestamp if again else job.metadata.creation_timestamp)
    placed = condition(pod.status.conditions, "PodScheduled")
    came = seconds(placed.last_transition_time) if placed else 0
    ran = _container(pod)
    began = seconds(ran.started_at) if ran else 0
    ended = seconds(ran.finished_at) if isinstance(ran, Terminated) else now
    return Phases(
        queued=_between(sent, came or now),
        pulling=_between(came, began or now) if came else None,
        running=_between(began, ended) if began else None,
    )


def _container(pod: Pod) -> Running | Terminated | None:
    for status in pod.status.container_statuses:
        return status.state.terminated or status.state.running
    return None


def _between(first: float, last: float) -> float | None:
    """Seconds; None where one of the stamps is missing, or they contradict each other."""
    return last - first if first and last >= first else None
