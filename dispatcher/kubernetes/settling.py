"""Gives every index that ended without a manifest one that says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dispatcher.kubernetes.diagnosis import diagnose
from dispatcher.kubernetes.evidence import Evidence
from dispatcher.kubernetes.objects import Event
from dispatcher.kubernetes.pod_phases import of_pod
from dispatcher.kubernetes.run_objects import Job, Pod
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.trouble import trouble
from dispatcher.run import Failure, Manifest, Phases, Run
from dispatcher.runner.keys import numbers
from dispatcher.settlement import Settlement
from dispatcher.store import Missing, RunKeys, Runs
from packer import record
from packer.record import Record

_EXPLAINED = 20
"""Pods whose events are asked for; the others are explained by what they say themselves."""


class EventRecord(Record, frozen=True):
    """One event in `runs/<run>/events.json`."""

    when: str
    about: str
    """Such as "Pod train-abc234-0-x7k2p"."""
    type: str
    reason: str
    message: str
    count: int = 1


class Settler:
    """Finds out why, and commits it."""

    def __init__(self, run: Run, runs: Runs, evidence: Evidence, settings: ClusterSettings) -> None:
        self._run, self._runs = run, runs
        self._evidence, self._settings = evidence, settings
        self._keys = RunKeys(run.id)
        self._ends = Settlement(run, runs)
        self._kept = 0

    def has_traces(self) -> bool:
        """Whether the store has anything that a pod of the run left, or that ended it."""
        names = self._runs.store.names(self._keys.prefix)
        endings = {self._keys.name(key) for key in (self._keys.cancel, self._keys.refusal)}
        return bool(numbers(names)) or not endings.isdisjoint(names)

    def failed(self, job: Job, indexes: Iterable[int]) -> dict[int, Manifest]:
        """Say of indexes that the Job has done with why there is no result."""
        asked = list(indexes)
        per_pod = self._run.request.per_pod
        pods = self._evidence.pods({index // per_pod for index in asked})
        why: dict[int, Failure] = {}
        for completion, pod in pods.items():
            why[completion] = self._why(job, pod, explain=len(why) < _EXPLAINED)
        without = self._why(job, None, explain=True) if len(pods) < len(asked) else None
        self.keep_events()

        def settle(index: int) -> Manifest:
            pod = pods.get(index // per_pod)
            attempt = pod.failures + 1 if pod else 0
            # What several inputs shared can't be told apart.
            phases = of_pod(job, pod) if pod and per_pod == 1 else None
            return self._ends.commit(index, why.get(index // per_pod) or without, attempt, phases)

        return self._ends.each(asked, settle)

    def given_up(
        self, failure: Failure, indexes: Iterable[int], waited: Mapping[int, Phases]
    ) -> dict[int, Manifest]:
        """Say of indexes that they never started; `waited` are the phases of completion indexes."""
        self.keep_events()
        per_pod = self._run.request.per_pod

        def settle(index: int) -> Manifest:
            first = index % per_pod == 0
            phases = waited.get(index // per_pod) if first else None
            return self._ends.commit(index, failure, phases=phases)

        return self._ends.each(indexes, settle)

    def without_job(self, failure: Failure, indexes: Iterable[int]) -> dict[int, Manifest]:
        """Say of those that were cancelled that they were, and of those whose last attempt saved
        what it had that nobody tries again.
        """

        def settle(index: int) -> Manifest | None:
            if self._ends.is_cancelled(index):
                return self._ends.commit(index, None)
            return self._ends.commit(index, failure) if self._ends.interrupted(index) else None

        return self._ends.each(indexes, settle, only_begun=True)

    def keep_events(self) -> None:
        """Copy what the cluster said into the store, where it said more since the last time."""
        seen = self._evidence.events
        if len(seen) > self._kept:
            self._kept = len(seen)
            self._runs.store.put(self._keys.events, self._merged(seen))

    def _why(self, job: Job, pod: Pod | None, *, explain: bool) -> Failure:
        from dispatcher.kubernetes.diagnosis import Situation

        situation = (
            self._evidence.situation(job, pod) if explain else Situation(job=job, pod=pod, now=0)
        )
        found = diagnose(situation, self._settings) or trouble(
            "RESULT_MISSING",
            "its pod ended well, and the store has no result" if pod else "its pod is gone",
            blame="infra",
            evidence=[f"pod {pod.metadata.name}"] if pod else [],
            fix=f"send it off again: sendoff rerun {self._run.id} --failed",
            phase="results",
        )
        return found.failure

    def _merged(self, seen: Mapping[str, Event]) -> bytes:
        """These events and those kept before, the oldest first."""
        try:
            before = record.decode(self._runs.store.get(self._keys.events), dict[str, EventRecord])
        except (Missing, ValueError):
            before = {}
        merged = before | {uid: _kept(event) for uid, event in seen.items()}
        return record.encode(dict(sorted(merged.items(), key=lambda item: item[1].when)))


def _kept(event: Event) -> EventRecord:
    return EventRecord(
        when=event.when,
        about=f"{event.involved_object.kind} {event.involved_object.name}",
        type=event.type,
        reason=event.reason,
        message=event.message,
        count=event.count or 1,
    )
