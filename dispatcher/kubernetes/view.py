"""A run as its cluster shows it: which indexes wait, run, have ended, and why some don't go on.

A pod that has ended is looked for in the store at once; the Job says so up to seconds later.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime

from dispatcher.kubernetes.eye import Eye
from dispatcher.kubernetes.glimpse import Glimpse
from dispatcher.kubernetes.renewal import Renewal
from dispatcher.kubernetes.run_objects import Job
from dispatcher.kubernetes.settling import Settler
from dispatcher.kubernetes.submission import Submission
from dispatcher.kubernetes.trouble import trouble
from dispatcher.kubernetes.watchman import Watchman
from dispatcher.run import Failure, Manifest, Run
from dispatcher.target import Seen, Sight
from packer.errors import SendoffError

_JOB_PERIOD = 0.5
"""Seconds between looks at the Job."""
_PATIENCE = 5.0
"""Seconds for which a look waits for a cluster that does not answer."""
_STORE_PERIOD = 0.1
"""Seconds between looks for results of what still runs."""
_STORE_LOOKS = 32
"""Indexes that are looked for at once."""
_FRESH = 120
"""Seconds for which a run without a Job may be one whose Job is just being made."""


class ClusterView:
    """Looks at one run."""

    def __init__(
        self,
        run: Run,
        submission: Submission,
        eye: Eye,
        settler: Settler,
        watchman: Watchman,
        *,
        renewal: Renewal,
    ) -> None:
        self._run, self._submission, self._renewal = run, submission, renewal
        self._eye, self._settler, self._watchman = eye, settler, watchman
        self._job: Job | None = None
        self._job_again = self._store_again = 0.0
        self._done: frozenset[int] = frozenset()
        self._seen_active: set[int] = set()
        self._gave_up: Failure | None = None
        self._turn = 0
        self._last: dict[int, Seen] = {}
        """What was seen when the cluster last was."""
        self._error: SendoffError | None = None
        self._traces = False
        """Whether there is any sign that the Job was made."""

    def look(self, indexes: Collection[int]) -> Sight:
        """See `dispatcher.target.View`. Where the cluster can't be seen, the store may do."""
        try:
            sight = self._look(indexes)
        except SendoffError as error:
            return self._blind(indexes, error)
        self._last, self._error = sight.seen, None
        return sight

    def _look(self, indexes: Collection[int]) -> Sight:
        self._look_at_job()
        job = self._job
        if job is None:
            return self._without_job(indexes)
        finished = job.finished
        active = {} if finished else self._eye.look(job)
        self._seen_active |= active.keys()
        self._gave_up = self._gave_up or self._watchman.round(job, active)
        if not (finished or self._gave_up or job.metadata.deletion_timestamp):
            self._renewal.round(job)
        left = self._seen_active - active.keys()
        per_pod = self._run.request.per_pod
        over = finished or self._gave_up is not None
        ended, seen = set(), {}
        for index in indexes:
            completion = index // per_pod
            glimpse = active.get(completion)
            if over or completion in self._done or _never(job, glimpse):
                ended.add(index)
            else:
                seen[index] = self._seen(completion, glimpse, ended=completion in left)
        return Sight(ended=frozenset(ended), likely=self._likely(seen), seen=seen)

    def settle(self, indexes: Collection[int]) -> dict[int, Manifest]:
        """See `dispatcher.target.View`.

        Raises:
            SendoffError: why the cluster can't be seen.
        """
        if self._error:
            raise self._error
        try:
            return self._settle(indexes)
        except SendoffError as error:
            if self._last and error.retryable:
                return {}
            raise

    def _settle(self, indexes: Collection[int]) -> dict[int, Manifest]:
        job = self._job
        if self._gave_up:
            return self._settler.given_up(self._gave_up, indexes, self._watchman.waited)
        if job and not job.metadata.deletion_timestamp:
            return self._settler.failed(job, indexes)
        return self._settler.without_job(self._gone, indexes)

    def close(self) -> None:
        """See `dispatcher.target.View`."""
        self._eye.close()

    def _look_at_job(self) -> None:
        now = time.monotonic()
        if now < self._job_again:
            return
        self._job_again = now + _JOB_PERIOD
        self._job = self._submission.find(self._run.id, _PATIENCE)
        if self._job is None:
            self._traces = self._traces or self._settler.has_traces()
        else:
            self._traces = True
            self._done = self._job.status.ended

    def _blind(self, indexes: Collection[int], error: SendoffError) -> Sight:
        """What the store alone can tell; whoever waits sits out that the cluster is away."""
        if self._last and error.retryable:
            seen = {index: self._last[index] for index in indexes if index in self._last}
            return Sight(ended=frozenset(), likely=self._likely(seen), seen=seen)
        self._error = error
        return Sight(ended=frozenset(indexes))

    def _without_job(self, indexes: Collection[int]) -> Sight:
        """It is gone, or about to be made."""
        made = datetime.fromisoformat(self._run.created).timestamp()
        if time.time() - made < _FRESH and not self._gave_up and not self._traces:
            queued = dict.fromkeys(indexes, Seen(state="queued"))
            return Sight(ended=frozenset(), likely=frozenset(indexes), seen=queued)
        # Its pods may outlive it by their grace, in which they save what they have.
        active = self._eye.look()
        seen = {}
        for index in indexes:
            glimpse = active.get(index // self._run.request.per_pod)
            if glimpse and glimpse.placed:
                seen[index] = self._seen(glimpse.completion, glimpse, ended=False)
        ended = frozenset(indexes) - seen.keys()
        return Sight(ended=ended, likely=self._likely(seen), seen=seen, lost=self._gone)

    @property
    def _gone(self) -> Failure:
        """Why nobody looks after the run any more."""
        if self._traces:
            why = "it was deleted by hand, or its time to live ran out before anyone looked"
        else:
            why = "nothing shows that it was ever made: who sent it off may have ended before that"
        return trouble(
            "JOB_GONE",
            f"the cluster has no Job {self._run.id} any more, and the store has no result of it",
            blame="infra",
            evidence=[why],
            fix=f"send it off again: sendoff rerun {self._run.id} --failed",
            phase="run",
        ).failure

    def _seen(self, completion: int, glimpse: Glimpse | None, *, ended: bool) -> Seen:
        waiting = self._watchman.waiting(completion)
        if glimpse is None:
            # Between a pod's end and the Job's word on it, or the next pod.
            return Seen(state="running" if ended else "queued", waiting=waiting)
        if glimpse.state == "running" and waiting and waiting.phase == "schedule":
            # Found out on a round before it started.
            waiting = None
        return Seen(
            state=glimpse.state,
            attempts=glimpse.failures + (glimpse.state == "running"),
            started=glimpse.started,
            waiting=waiting,
        )

    def _likely(self, seen: dict[int, Seen]) -> frozenset[int]:
        """Some of what runs: the store has a result before its pod has ended."""
        now = time.monotonic()
        if now < self._store_again:
            return frozenset()
        self._store_again = now + _STORE_PERIOD
        running = [index for index, each in seen.items() if each.state == "running"]
        if len(running) > _STORE_LOOKS:
            start = self._turn % len(running)
            self._turn = start + _STORE_LOOKS
            running = (running + running)[start : self._turn]
        return frozenset(running)


def _never(job: Job, glimpse: Glimpse | None) -> bool:
    """Whether a Job that is being deleted can't have started this any more."""
    return bool(job.metadata.deletion_timestamp) and (glimpse is None or not glimpse.placed)
