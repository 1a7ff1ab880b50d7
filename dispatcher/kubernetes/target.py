"""The kubernetes target: checks a request against a cluster, makes its Job, and looks after it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from dispatcher.kubernetes import cluster, drivers, runner_secret
from dispatcher.kubernetes.admission import Admission, Choice
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.crowd import CrowdEye
from dispatcher.kubernetes.errors import StoreNotInReach
from dispatcher.kubernetes.evidence import Evidence
from dispatcher.kubernetes.eye import Eye, PodEye
from dispatcher.kubernetes.job import pods_of
from dispatcher.kubernetes.paths import Paths
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.settling import Settler
from dispatcher.kubernetes.submission import Files, Submission
from dispatcher.kubernetes.view import ClusterView
from dispatcher.kubernetes.watchman import Watchman
from dispatcher.places import Places
from dispatcher.request import Request, Resources
from dispatcher.run import Run
from dispatcher.store import Runs
from packer.record import encode

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

    def admit(self, resources: Resources, driver: drivers.Version = ()) -> Choice:
        """Refuse what the cluster can never run, before anything is built.

        `driver` is the oldest GPU driver that the image will work with; () for any.

        Raises:
            GpuExpressionInvalid, GpuUnknown, GpuNotHere, Impossible, DriverTooOld, KeptOff, and
            what `Client` raises.
        """
        known = cluster.catalogue(self._settings)
        admission = Admission(known, cluster.facts(self._client), self._settings)
        choice = admission.admit(resources, driver)
        self._admitted = time.monotonic(), resources, choice
        return choice

    def check(self, request: Request) -> None:
        """Refuse what can't run there.

        Raises:
            StoreNotInReach, and what `admit` raises.
        """
        if "://" not in self._pod_store(request):
            raise StoreNotInReach(self._places.store)
        self._choice(request.resources)

    def claim(self, run_id: str) -> ClusterClaim:
        """Always given: the Job's name is what only one can take."""
        return ClusterClaim(self, run_id)

    def started(self, run_id: str) -> bool:
        """Whether the cluster has the Job, or the store something that it did."""
        if self._submission().find(run_id):
            return True
        names = self._runs().store.names(f"runs/{run_id}/")
        return any(name.isdigit() for name in names)

    def prepared(self, run_id: str) -> bool:
        """Nodes fetch images themselves; whether they have them is not known."""
        return bool(run_id)

    def start(self, run: Run) -> None:
        """Make the Job, or find it made.

        Raises:
            JobTaken, JobStuck, AssignmentTooLarge, and what `Client` and the store raise.
        """
        choice = self._choice(run.request.resources)
        self._submission().send(run, choice, self._files(run, choice.memory))

    def view(self, run: Run) -> ClusterView:
        """A look at one run."""
        paths = Paths(self._client.namespace)
        evidence = Evidence(self._client, paths, run.id)
        runs = self._runs()
        watchman = Watchman(
            evidence, self._submission(), self._settings, self._files(run, 0)
        )
        settler = Settler(run, runs, evidence, self._settings)
        return ClusterView(run, runs, self._client, self._eye(run), settler, watchman)

    def cancel(self, run: Run, index: int | None) -> None:
        """End its Job, or the pod of an index; what runs has its grace to save what it can."""
        if index is None:
            job = self._submission().find(run.id)
            if job:
                self._submission().remove(job)
            return
        ...
