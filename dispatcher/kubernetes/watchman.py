"""Makes his rounds: finds out why pods don't start, and gives a run up when its time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from msgspec.structs import replace

from dispatcher.kubernetes.diagnosis import Situation, diagnose
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.evidence import Evidence
from dispatcher.kubernetes.glimpse import Glimpse
from dispatcher.kubernetes.job import RUNNER
from dispatcher.kubernetes.pod_phases import of_pod
from dispatcher.kubernetes.pod_waits import given_up
from dispatcher.kubernetes.run_objects import Job, Pod
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.submission import Files, Submission
from dispatcher.kubernetes.trouble import Trouble, seconds
from dispatcher.run import Failure, Phases

_PERIOD = 2.0
"""Seconds between rounds."""
_REST = 4
"""How many times as long as a round took there is none after it, at least."""
_CALM = 5.0
"""Seconds in which a pod that says nothing odd may start before anybody asks why it does not."""
_SLOW, _COSTLY = 0.2, 10
"""Events are kept in no index: where asking took long, how many times that is the next pause."""
_EXPLAINED = 3
"""Pods whose events are asked for in a round: those of one run mostly wait for the same."""
# What a pod says of anything else without its events is not all of it, nor since when.
_CLEAR = frozenset({"QUEUED"})


class Watchman:
    """Looks after one run while somebody looks at it."""

    def __init__(
        self,
        evidence: Evidence,
        submission: Submission,
        settings: ClusterSettings,
        files: Files,
        shortage: Callable[[], str],
    ) -> None:
        """`shortage` says what there is too little of, for a run that waits for its turn."""
        self._evidence, self._submission, self._settings = evidence, submission, settings
        self._files, self._shortage = files, shortage
        self._again = 0.0
        self._troubles: dict[int, Trouble | None] = {}
        self._of_job: Trouble | None = None
        self._had_pods = 0.0
        """When it last had some, by the cluster's clock, in seconds since the epoch."""
        self._last: dict[str, Trouble | None] = {}
        """What was found when somebody last asked, by the pod's uid."""
        self._ask_again = 0.0
        self._explained = 0
        self._may_end = True
        self.waited: dict[int, Phases] = {}
        """What the pods of a run that was given up had waited for, by completion index."""

    def waiting(self, completion: int) -> Failure | None:
        """Why a completion index does not go on."""
        of_pod = self._troubles.get(completion)
        found = of_pod or self._of_job
        if found is None:
            return None
        words = self._shortage() if of_pod and found.failure.code == "QUEUED" else ""
        return replace(found.failure, message=words) if words else found.failure

    def round(self, job: Job, active: Mapping[int, Glimpse]) -> Failure | None:
        """Look at what waits; why the run was given up, if it was now."""
        began = time.monotonic()
        if began < self._again or job.metadata.deletion_timestamp:
            return None
        try:
            return self._round(job, active)
        finally:
            now = time.monotonic()
            self._again = now + max(_PERIOD, _REST * (now - began))

    def _round(self, job: Job, active: Mapping[int, Glimpse]) -> Failure | None:
        if active:
            self._had_pods = self._evidence.now()
        self._of_job = None if active else self._about_job(job)
        odd = self._odd(active)
        self._troubles = {each: self._trouble(job, pod) for each, pod in odd.items()}
        waits = [*self._troubles.values()] if active else [self._of_job]
        running = any(each.state == "running" for each in active.values())
        if running or not self._may_end or not self._is_over(waits):
            return None
        # Once the pods are gone nobody can ask about them any more.
        for pod in [*odd.values()][:_EXPLAINED]:
            self._evidence.situation(job, pod)
        now = self._evidence.now()
        self.waited = {completion: of_pod(job, pod, now) for completion, pod in odd.items()}
        return self._give_up(job, waits)

    def _odd(self, active: Mapping[int, Glimpse]) -> dict[int, Pod]:
        """The pods that wait, or whose node may be silent."""
        self._explained = 0
        pods = {each.completion: each.pod for each in active.values() if each.pod}
        if not pods and any(each.state == "queued" for each in active.values()):
            pods = {pod.index: pod for pod in self._evidence.some_pending(_EXPLAINED)}
        return {completion: pod for completion, pod in pods.items() if _is_odd(pod)}

    def _trouble(self, job: Job, pod: Pod) -> Trouble | None:
        found = diagnose(Situation(job=job, pod=pod, now=self._evidence.now()), self._settings)
        if found and found.failure.code in _CLEAR:
            return found
        made = seconds(pod.metadata.creation_timestamp)
        if self._explained < _EXPLAINED and self._evidence.now() - made > _CALM:
            self._explained += 1
            return self._explain(job, pod) or found
        return found

    def _about_job(self, job: Job) -> Trouble | None:
        """Why it has no pods, which between two of them is as it should be."""
        made = seconds(job.status.start_time or job.metadata.creation_timestamp)
        if not job.spec.suspend and self._evidence.now() - made < _PERIOD:
            return None
        found = self._explain(job, None)
        return found and replace(found, since=max(found.since, self._had_pods))

    def _explain(self, job: Job, pod: Pod | None) -> Trouble | None:
        began = time.monotonic()
        if began < self._ask_again:
            return self._last.get(pod.metadata.uid if pod else "")
        found = diagnose(self._evidence.situation(job, pod), self._settings)
        self._last[pod.metadata.uid if pod else ""] = found
        if time.monotonic() - began > _SLOW:
            self._ask_again = time.monotonic() + _COSTLY * (time.monotonic() - began)
        secret = job.metadata.annotations.get(RUNNER, "")
        if secret and found and any(f'"{secret}" not found' in x for x in found.failure.evidence):
            # Whoever made the Job has died before it came to this.
            self._submission.give(job, self._files(job))
        return found

    def _is_over(self, waits: Collection[Trouble | None]) -> bool:
        """Whether the time of all that waits is over."""
        now = self._evidence.now()
        return bool(waits) and all(each is not None and each.over(now) for each in waits)

    def _give_up(self, job: Job, waits: Collection[Trouble | None]) -> Failure | None:
        """End the Job, of which nothing runs."""
        try:
            self._submission.remove(job)
        except ApiForbidden:
            # Whoever only looks on sees what is wrong, and leaves it to others.
            self._may_end = False
            return None
        return next(given_up(each, job.metadata.name).failure for each in waits if each)


def _is_odd(pod: Pod) -> bool:
    if pod.metadata.deletion_timestamp or pod.status.phase == "Pending":
        return True
    return any(each.type == "Ready" and each.status != "True" for each in pod.status.conditions)
