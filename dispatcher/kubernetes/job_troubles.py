"""What is wrong with a Job as a whole: its queue, its quota, its deadline. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dispatcher.kubernetes.objects import Event, Unseen, Workload, condition
from dispatcher.kubernetes.run_objects import Job
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import NEVER, Trouble, seconds, trouble

_QUOTA = re.compile(r"exceeded quota: .*|failed quota: .*")
_POD_SECURITY = re.compile(r"violates PodSecurity .*")
_ACCOUNT = re.compile(r'serviceaccount "[^"]*" not found')
_NO_QUEUE = re.compile(r"(?:LocalQueue|ClusterQueue).*(?:doesn't exist|is inactive|not found)")
# Kueue needs a moment to answer a new Job with a Workload.
_KUEUE_TAKES = 30
# Of a Job that goes on failing, one in so many seconds is told at least (EventCorrelator).
_REPEATED = 600


def queued(job: Job, workload: Workload | Unseen | None, settings: ClusterSettings) -> Trouble:
    """Why a suspended Job has not been let go, which it may have been once already.

    Of one whose workload is unseen nothing is known to be wrong, so it waits for its turn.
    """
    suspended = condition(job.status.conditions, "Suspended")
    made = seconds(job.metadata.creation_timestamp)
    since = max(made, seconds(suspended.last_transition_time) if suspended else 0)
    queue = job.metadata.labels.get("kueue.x-k8s.io/queue-name", "")
    if workload is None:
        return trouble(
            "QUEUE_MISSING",
            f"nothing has taken the Job into the queue {queue}",
            blame="config",
            fix="check the name: kubectl get localqueues; and that Kueue runs",
            since=since + _KUEUE_TAKES,
            grace=settings.pending_timeout,
        )
    said = _said(workload)
    if any(_NO_QUEUE.search(each) for each in said):
        return trouble(
            "QUEUE_MISSING",
            f"the queue {queue} can't take the Job",
            blame="config",
            evidence=said,
            fix="kubectl get localqueues,clusterqueues",
            since=since,
            grace=settings.pending_timeout,
        )
    return trouble(
        "QUEUED",
        f"waiting in the queue {queue}",
        blame="capacity",
        evidence=said,
        fix="sendoff gpus shows what is free",
        since=since,
        grace=settings.queue_timeout or NEVER,
    )


def _said(workload: Workload | Unseen) -> list[str]:
    """Why it waits, in Kueue's words; or why they are not known."""
    if isinstance(workload, Unseen):
        return [workload.why]
    said = [each.message for each in workload.status.conditions if each.status == "False"]
    said += [each.message for each in workload.status.conditions if each.type == "Evicted"]
    return [each for each in dict.fromkeys(said) if each]


def ended(job: Job) -> Trouble | None:
    """Why all of a Job was ended, whatever its pods did."""
    failed = condition(job.status.conditions, "Failed") or condition(
        job.status.conditions, "FailureTarget"
    )
    if failed is None or failed.reason != "DeadlineExceeded":
        return None
    return trouble(
        "DEADLINE",
        "the run was ended because it had taken too long in all, waiting included",
        blame="capacity",
        evidence=[failed.message],
        fix="give it more time: --timeout; or the cluster: longest in [tool.sendoff]",
        phase="run",
        since=seconds(failed.last_transition_time),
    )


def without_pods(
    job: Job, events: Sequence[Event], settings: ClusterSettings, now: float = 0
) -> Trouble | None:
    """Why a Job has no pods: only its events say so, of which `events` has the oldest first.

    `now` is in seconds since the epoch.
    """
    made = max((each.when for each in events if each.reason == "SuccessfulCreate"), default="")
    refused = [each for each in events if each.reason == "FailedCreate" and each.when > made]
    if not refused or now - seconds(refused[-1].when) > _REPEATED:
        return None
    began = job.status.start_time or job.metadata.creation_timestamp or ""
    since = seconds(max(began, made, min(each.first for each in refused)))
    last = refused[-1].message
    if _QUOTA.search(last):
        return trouble(
            "QUOTA",
            "the namespace's quota leaves no room for the run's pods",
            blame="capacity",
            evidence=["FailedCreate: " + last],
            fix="kubectl describe quota; cancel what is not needed: sendoff ps",
            since=since,
            grace=settings.pending_timeout,
        )
    code, fix = "POD_REFUSED", "see what the cluster's administrators demand of pods"
    if _POD_SECURITY.search(last):
        code, fix = "POD_SECURITY", "sendoff doctor shows the namespace's Pod Security level"
    elif _ACCOUNT.search(last):
        code, fix = "SERVICE_ACCOUNT_MISSING", "kubectl create serviceaccount default"
    return trouble(
        code,
        "the cluster does not let the run's pods be created",
        blame="config",
        evidence=["FailedCreate: " + last],
        fix=fix,
        since=since,
        grace=settings.image_timeout,
    )
