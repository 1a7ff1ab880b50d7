"""Makes a run's Job and its Secret, once, whatever becomes of answers; and removes a Job.

The Job comes first: its pods wait the few milliseconds for the Secret, and the Secret, which the
Job owns, can't outlive it. Whoever finds a Job whose Secret was never made can make it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from dispatcher.credentials import Credentials
from dispatcher.kubernetes import job as jobs
from dispatcher.kubernetes import runner_secret
from dispatcher.kubernetes.admission import Choice
from dispatcher.kubernetes.answers import CONFLICT, NOT_FOUND, Refusal
from dispatcher.kubernetes.client import Client, Unanswered
from dispatcher.kubernetes.doubt import Doubt
from dispatcher.kubernetes.errors import JobStuck, JobTaken
from dispatcher.kubernetes.listing import everything
from dispatcher.kubernetes.pod import renewed
from dispatcher.kubernetes.run_objects import ACTIVE, INDEX, RUN, Job, Pod
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.run import Run
from dispatcher.runner.pod_assignment import CREDENTIALS
from packer.errors import SendoffError
from packer.record import decodable, encode

_GOING = 60.0
"""Seconds that a Job's pods may take to go, besides their grace and what they store then."""
_LEFTOVER = 10.0
"""Seconds that the cluster may take to remove the Secret of an earlier Job."""
_PAUSE = 0.1

Files = Callable[[Job], dict[str, bytes]]
"""Makes what the runners of a Job are told."""


class _Made(NamedTuple):
    job: Job
    fresh: bool
    """Whether it was made just now, by us."""


class Submission:
    """Makes and removes the Jobs of one cluster."""

    def __init__(self, client: Client, settings: ClusterSettings) -> None:
        self._client, self._settings = client, settings

    def send(self, run: Run, choice: Choice, files: Files) -> Job:
        """The run's Job, made now or before.

        Raises:
            JobTaken, JobStuck, and what `Client` and `files` raise; a Job that was made is removed.
        """
        job, fresh = self._make(run, choice)
        try:
            self.give(job, files(job), fresh=fresh)
        except (SendoffError, OSError):
            if fresh:
                with contextlib.suppress(SendoffError):
                    self.remove(job)
            raise
        return job

    def give(self, job: Job, files: dict[str, bytes], *, fresh: bool = False) -> None:
        """Make the Job's Secret, unless it is there."""
        name = job.metadata.annotations.get(jobs.RUNNER, "")
        body = runner_secret.render(
            name or runner_secret.secret_name(job.metadata.name), job, files
        )
        doubt = Doubt(self._client)
        while True:
            try:
                self._client.create(self._client.paths.secrets, body)
            except Unanswered as lost:
                fresh = False
                # The next attempt is the look: a Secret that is there is a conflict.
                doubt.judge(lost)
                doubt.wait(lost)
            except Refusal as refusal:
                # Beside a new Job it can only be that of an earlier one, which is on its way out.
                if refusal.status != CONFLICT:
                    raise
                if not fresh or doubt.waited > _LEFTOVER:
                    return
                time.sleep(_PAUSE)
            else:
                return

    def renew(self, job: Job, credentials: Credentials) -> None:
        """Give the Job's pods newer credentials; those that run have them a minute or two later.

        Raises:
            Refusal: it is gone.
        """
        own = job.metadata.annotations.get(jobs.RUNNER, "")
        name = renewed(own or runner_secret.secret_name(job.metadata.name))
        files = {CREDENTIALS: encode(credentials)}
        body = runner_secret.render(name, job, files, immutable=False)
        try:
            self._client.create(self._client.paths.secrets, body)
        except (Unanswered, Refusal) as error:
            # It is there, or may be.
            if isinstance(error, Refusal) and error.status != CONFLICT:
                raise
            self._client.replace(self._client.paths.secret(name), body)

    def find(self, name: str, patience: float | None = None) -> Job | None:
        """The Job of this name; `patience` as of `Client.get`."""
        try:
            found = self._client.get(self._client.paths.job(name), patience=patience)
            return msgspec.json.decode(found, type=decodable(Job))
        except Refusal as refusal:
            if refusal.status != NOT_FOUND:
                raise
            return None

    def remove(self, job: Job) -> None:
        """End this very Job with its pods; one of the same name that was made later stays."""
        preconditions = {"uid": job.metadata.uid}
        options = {"propagationPolicy": "Foreground", "preconditions": preconditions}
        self._delete(self._client.paths.job(job.metadata.name), options)

    def placed(self, run_id: str, completion: int) -> list[Pod]:
        """The pods of one completion index that may have started and have not ended."""
        selector = f"{RUN}={run_id},{INDEX}={completion}"
        query = {"labelSelector": selector, "fieldSelector": ACTIVE}
        pods = everything(self._client, self._client.paths.pods, Pod, query).items
        return [pod for pod in pods if pod.spec.node_name]

    def remove_pod(self, pod: Pod) -> None:
        """End this very pod; what runs in it has its grace."""
        options = {"preconditions": {"uid": pod.metadata.uid}}
        self._delete(self._client.paths.pod(pod.metadata.name), options)

    def _make(self, run: Run, choice: Choice) -> _Made:
        doubt, earlier = Doubt(self._client), ""
        while True:
            secret = runner_secret.secret_name(run.id, earlier)
            manifest = jobs.render(run, choice, self._settings, secret)
            lost = None
            try:
                made = self._client.create(self._client.paths.jobs, manifest)
                return _Made(msgspec.json.decode(made, type=decodable(Job)), fresh=True)
            except Unanswered as unanswered:
                lost = unanswered
                doubt.wait(lost)
            except Refusal as refusal:
                if refusal.status != CONFLICT:
                    raise
            # It is there, or may be: read, then decide.
            found = self.find(run.id, doubt.left)
            if found is None:
                if lost:
                    doubt.judge(lost)
                else:
                    time.sleep(_PAUSE)
            elif found.metadata.deletion_timestamp:
                earlier = self._see_off(found, run)
            else:
                return self._same(found, run)

    def _delete(self, path: str, options: Mapping[str, Any]) -> None:
        try:
            self._client.delete(path, options)
        except Refusal as refusal:
            if refusal.status not in (NOT_FOUND, CONFLICT):
                raise

    def _same(self, found: Job, run: Run) -> _Made:
        """The Job that was found, if it is of this request."""
        spec = found.metadata.annotations.get(jobs.SPEC, "")
        if spec != jobs.spec_hash(run.request):
            what = "the request" if spec else "it is not one of sendoff's"
            raise JobTaken(found.metadata.name, self._client.namespace, [what])
        return _Made(found, fresh=False)

    def _see_off(self, job: Job, run: Run) -> str:
        """Wait until a Job that is being deleted is gone; its uid."""
        uid, began = job.metadata.uid, time.monotonic()
        # Its pods have their grace, and what they store then needs time too.
        patience = _GOING + run.request.grace + self._settings.flush
        while (found := self.find(run.id)) and found.metadata.uid == uid:
            waited = time.monotonic() - began
            if waited > patience:
                raise JobStuck(run.id, self._client.namespace, waited)
            time.sleep(_PAUSE)
        return uid
