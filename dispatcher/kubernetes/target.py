"""The kubernetes target: checks a request against a cluster, makes its Job, and looks after it."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Self

from dispatcher import pod_config
from dispatcher.credentials import lifetime
from dispatcher.errors import RegistryNotPullable
from dispatcher.kubernetes import cluster, drivers, scratch
from dispatcher.kubernetes.admission import Admission, Choice
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.crowd import CrowdEye
from dispatcher.kubernetes.errors import StoreNotInReach
from dispatcher.kubernetes.evidence import Evidence
from dispatcher.kubernetes.eye import Eye, PodEye
from dispatcher.kubernetes.job import deadline, pods_of
from dispatcher.kubernetes.renewal import Renewal
from dispatcher.kubernetes.run_objects import Job
from dispatcher.kubernetes.runner_secret import assignment
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.settling import Settler
from dispatcher.kubernetes.shortage import Shortage
from dispatcher.kubernetes.submission import Submission
from dispatcher.kubernetes.trouble import seconds
from dispatcher.kubernetes.view import ClusterView
from dispatcher.kubernetes.watchman import Watchman
from dispatcher.places import Places
from dispatcher.pod_config import PodTerms
from dispatcher.request import Request, Resources
from dispatcher.run import Run
from dispatcher.runner.address import is_s3
from dispatcher.runner.keys import numbers
from dispatcher.settlement import Settlement
from dispatcher.store import RunKeys, Runs

_CROWD = 1_000
"""From so many pods at once they are looked at as a table."""
_REMEMBERED = 60.0
"""Seconds for which what was admitted need not be asked again."""


class KubernetesTarget:
    """Runs as Jobs of one cluster. Safe to make: nothing is asked before it is needed."""

    def __init__(self, places: Places, client: Client | None = None) -> None:
        self._places = places
        self._settings = places.cluster or ClusterSettings()
        self._client = client or Client(self._settings)
        self._admitted: tuple[float, Resources, Choice] | None = None

    def admit(self, request: Request) -> None:
        """Refuse what the cluster can never run, before anything is packed.

        Raises:
            StoreNotInReach, RegistryNotPullable, InputsTooLarge, GpuExpressionInvalid, GpuUnknown,
            GpuNotHere, PlatformUnfit, Impossible, DriverTooOld, KeptOff, and what `Client` raises.
        """
        if not is_s3(self._places.store):
            raise StoreNotInReach(self._places.store)
        if request.repository.startswith("/"):
            raise RegistryNotPullable("kubernetes", request.repository)
        scratch.require(request, self._settings.scratch)
        self._choice(request.resources)

    def check(self, request: Request) -> None:
        """Refuse what can't run there; as `admit`."""
        self.admit(request)

    def claim(self, run_id: str) -> ClusterClaim:
        """Always given: a Job's name can be taken once only."""
        return ClusterClaim(self, run_id)

    def started(self, run_id: str) -> bool:
        """Whether the cluster has the Job, or the store what its pods did or what ended it.

        A Job that is deleted before its end, and whose run nobody cancelled, is to be made again.
        """
        job = self._submission.find(run_id)
        if job and (job.finished or not job.metadata.deletion_timestamp):
            return True
        keys = RunKeys(run_id)
        names = self._runs.store.names(keys.prefix)
        if keys.name(keys.cancel) in names:
            return True
        return job is None and bool(numbers(names))

    def begun(self, run_id: str) -> bool:
        """As `started`: its Job is all of it."""
        return self.started(run_id)

    def prepared(self, run_id: str) -> bool:
        """Nodes fetch images by themselves, and say so where that takes long."""
        return bool(run_id)

    def start(self, run: Run) -> None:
        """Make the Job, or find it made.

        Raises:
            JobTaken, JobStuck, AssignmentTooLarge, and what `Client` and the store raise.
        """
        choice = self._choice(run.request.resources)
        self._submission.send(run, choice, lambda job: self._files(run, job, choice.memory))

    def view(self, run: Run) -> ClusterView:
        """A look at one run."""
        evidence = Evidence(self._client, run.id)
        settler = Settler(run, self._runs, evidence, self._settings)
        shortage = Shortage(
            run.request.resources.gpu, lambda: cluster.facts(self._client), self._settings
        )
        watchman = Watchman(
            evidence,
            self._submission,
            self._settings,
            lambda job: self._files(run, job, 0),
            shortage.words,
        )
        lasting = self._lasting(run.request)
        renewal = Renewal(
            run,
            self._runs,
            self._submission,
            lambda: pod_config.issued(run, self._places, lasting),
            life=lifetime(lasting, self._places.role),
            clock=self._client.now,
        )
        eye = self._eye(run)
        return ClusterView(run, self._submission, eye, settler, watchman, renewal=renewal)

    def cancel(self, run: Run, index: int | None) -> None:
        """End its Job, or an index of it; what runs has its grace to save what it can."""
        if index is None:
            job = self._submission.find(run.id)
            if job:
                self._submission.remove(job)
            return
        pods = self._submission.placed(run.id, index // run.request.per_pod)
        if pods and run.request.per_pod == 1:
            for pod in pods:
                self._submission.remove_pod(pod)
        elif not pods or not self._runs.attempts(run.id, index):
            Settlement(run, self._runs).cancelled((index,))
        # Else its pod has other inputs too: the runner finds out from the store, and goes on.

    @cached_property
    def _submission(self) -> Submission:
        return Submission(self._client, self._settings)

    @cached_property
    def _runs(self) -> Runs:
        return Runs.at(self._places)

    def _choice(self, resources: Resources) -> Choice:
        """What the pods ask for, as found out a moment ago or now."""
        if self._admitted:
            when, asked, choice = self._admitted
            if asked == resources and time.monotonic() - when < _REMEMBERED:
                return choice
        driver = drivers.needed(resources.cuda, resources.driver)
        known = cluster.catalogue(self._settings)
        # What is in use matters for a choice between classes, and costs a list of all pods.
        facts = cluster.facts(self._client, usage="," in resources.gpu)
        choice = Admission(known, facts, self._settings).admit(resources, driver)
        self._admitted = time.monotonic(), resources, choice
        return choice

    def _eye(self, run: Run) -> Eye:
        # Whoever sent it off may have let more of it run at once than is usual here.
        pods = pods_of(run.request)
        if min(pods, run.request.max_parallel or pods) > _CROWD:
            return CrowdEye(self._client, run.id)
        return PodEye(self._client, run.id)

    def _files(self, run: Run, job: Job, memory: int) -> dict[str, bytes]:
        """What the runners are told, with credentials for this run alone."""
        terms = PodTerms(
            store=pod_config.bucket(self._places),
            per_pod=run.request.per_pod,
            memory=memory,
            patience=self._places.store_patience,
            retries=run.request.retries,
            sent=seconds(job.metadata.creation_timestamp),
        )
        lasting = self._lasting(run.request)
        return assignment(run, terms) | pod_config.credentials(run, self._places, lasting)

    def _lasting(self, request: Request) -> float:
        """Seconds for which pods may need credentials; 0 where nobody knows: a Job without a limit
        of its own may wait in Kueue's queue, where no deadline runs, for any time.
        """
        return deadline(request, self._settings) if request.timeout else 0


class ClusterClaim:
    """The right to make a run's Job."""

    def __init__(self, target: KubernetesTarget, run_id: str) -> None:
        self._target, self.run_id = target, run_id

    def start(self, run: Run) -> None:
        """Make the Job; the cluster looks after it."""
        self._target.start(run)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""
