"""Keeps the credentials of a run's pods good, while somebody looks at the run.

Nobody who looks may read a Secret. So newer credentials come in a second one, which pods mount
beside the first as soon as it is there, and the store has until when they are good.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from dispatcher import formats
from dispatcher.credentials import Credentials, lifetime
from dispatcher.errors import RecordDamaged
from dispatcher.kubernetes import job as jobs
from dispatcher.kubernetes.answers import Refusal
from dispatcher.kubernetes.errors import ApiForbidden
from dispatcher.kubernetes.run_objects import Job
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.kubernetes.submission import Submission
from dispatcher.kubernetes.trouble import seconds
from dispatcher.request import Request
from dispatcher.run import Run, now
from dispatcher.store import Missing, RunKeys, Runs
from packer.errors import SendoffError
from packer.record import Record, encode

_SPENT = 2 / 3
"""Of their time: what is left lasts until pods have the next ones, and until somebody looks."""
_LATER = 600.0
"""Seconds after which is tried again what could not be done."""


class Renewed(Record, frozen=True, tag_field="format", tag="sendoff.renewal/1"):
    """`runs/<run>/renewal.json`: when the credentials were last renewed, and until when."""

    at: str
    expires: str


class Outlived(Record, frozen=True):
    """Credentials that may be over before the run is; in seconds."""

    commands: float
    """What the commands may take, one wave after another."""
    credentials: float


class Renewal:
    """Renews the credentials of one run when two thirds of their time are over."""

    def __init__(
        self,
        run: Run,
        runs: Runs,
        submission: Submission,
        issue: Callable[[], Credentials],
        *,
        life: float,
        clock: Callable[[], float],
    ) -> None:
        """`life` is that of the first, in seconds; `clock` tells the cluster's time."""
        self._runs, self._submission, self._issue = runs, submission, issue
        self._key = RunKeys(run.id).renewal
        self._life, self._clock = life, clock
        self._again = 0.0

    def round(self, job: Job) -> None:
        """Renew them if it is time. What can't be done is left to whoever looks next."""
        if self._clock() < self._again:
            return
        try:
            self._again = self._due(job)
            if self._clock() >= self._again:
                self._again = self._renew(job)
        except ApiForbidden:
            self._again = math.inf
        except (SendoffError, Refusal):
            self._again = self._clock() + _LATER

    def _due(self, job: Job) -> float:
        """When the latest are to be renewed, in seconds since the epoch."""
        made = seconds(job.metadata.creation_timestamp)
        first = made + _SPENT * self._life
        if self._clock() < first:
            return first
        try:
            found = formats.read(self._key, self._runs.store.get(self._key), Renewed)
        except (Missing, RecordDamaged):
            return first
        return _due(found)

    def _renew(self, job: Job) -> float:
        issued = self._issue()
        self._submission.renew(job, issued)
        renewed = Renewed(at=now(), expires=issued.expires)
        self._runs.store.put(self._key, encode(renewed))
        return _due(renewed)


def outlived(request: Request, settings: ClusterSettings, role: str) -> Outlived | None:
    """How much longer a run with a time limit may take than its credentials last, where it may."""
    commands = request.timeout * jobs.waves(request, settings)
    life = lifetime(jobs.deadline(request, settings), role)
    return Outlived(commands=commands, credentials=life) if commands > life else None


def _due(renewed: Renewed) -> float:
    if not renewed.expires:
        return math.inf
    at, until = (datetime.fromisoformat(each).timestamp() for each in (renewed.at, renewed.expires))
    return at + _SPENT * (until - at)
