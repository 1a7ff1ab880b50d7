"""What a cluster lets its user do and offers: the checks behind `sendoff doctor`."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from dispatcher.kubernetes import cluster, job, manifests, rights, runner_secret
from dispatcher.kubernetes.admission import Admission, Choice
from dispatcher.kubernetes.answers import Refusal
from dispatcher.kubernetes.catalogue import Catalogue
from dispatcher.kubernetes.client import Client
from dispatcher.kubernetes.cluster_facts import ClusterFacts
from dispatcher.kubernetes.errors import ApiForbidden, NamespaceMissing, NotKubernetes
from dispatcher.kubernetes.kueue import Kueue
from dispatcher.kubernetes.objects import Meta, Part
from dispatcher.kubernetes.offers import offers
from dispatcher.kubernetes.paths import ACCESS_REVIEWS, VERSION
from dispatcher.kubernetes.rights import Right
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Input, Request, Resources
from dispatcher.run import Run
from packer.digest import Digest
from packer.errors import SendoffError
from packer.record import Record, decodable

_OLDEST = (1, 33)
"""Job features that are relied on are stable from here: a backoff limit per index."""
_OK = 200
_SKEW = 900.0


class Finding(Record, frozen=True):
    """One thing that was looked at."""

    what: str
    state: Literal["good", "poor", "bad"]
    """Poor: runs work, with less comfort."""
    said: str = ""
    fix: str = ""


class _Version(Part, frozen=True):
    major: str = ""
    minor: str = ""
    git_version: str = ""


class _Namespace(Part, frozen=True):
    metadata: Meta = Meta()


class _Verdict(Part, frozen=True):
    allowed: bool = False


class _Review(Part, frozen=True):
    status: _Verdict = _Verdict()


class Probe:
    """Asks one cluster. Nothing is changed there: a Job is only sent as a dry run."""

    def __init__(
        self, client: Client, settings: ClusterSettings, wanted: Resources | None = None
    ) -> None:
        """`wanted` is what runs ask for where nobody says otherwise."""
        self._client, self._settings = client, settings
        self._wanted = wanted or Resources()

    def findings(self) -> Iterator[Finding]:
        """Each as it is found; after one that makes the others pointless there are no more."""
        try:
            yield self._version()
            yield self._clock()
            yield from self._namespace()
            yield from self.rights()
            yield from self._hardware()
            yield self._pods()
            if self._settings.queue:
                yield self._queue()
        except SendoffError as error:
            yield _bad("cluster", error)

    def rights(self) -> Iterator[Finding]:
        """Whether the user has each right of `rights.RIGHTS`."""
        for right in rights.RIGHTS:
            where = "in the cluster" if right.everywhere else f"in {self._client.namespace}"
            if self._allowed(right):
                yield Finding(what=right.name, state="good", said=right.why)
            else:
                yield Finding(
                    what=right.name,
                    state="poor" if right.optional else "bad",
                    said=f"not allowed {where}; needed {right.why}",
                    fix=rights.remedy(
                        right.resource, self._client.namespace, everywhere=right.everywhere
                    ),
                )

    def _allowed(self, right: Right) -> bool:
        resource, _, part = right.resource.partition("/")
        asked = {
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": part,
            "namespace": "" if right.everywhere else self._client.namespace,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        answer = self._client.ask(ACCESS_REVIEWS, review)
        return msgspec.json.decode(answer, type=decodable(_Review)).status.allowed

    def _version(self) -> Finding:
        answer = self._client.get(VERSION)
        found = msgspec.json.decode(answer, type=decodable(_Version))
        if not found.git_version:
            raise NotKubernetes(self._client.host, VERSION, _OK, answer.decode(errors="replace"))
        numbers = int(found.major), int(found.minor.rstrip("+"))
        if numbers < _OLDEST:
            return Finding(
                what="version",
                state="bad",
                said=f"{found.git_version}; Jobs with retries per index need 1.33",
                fix="ask for the cluster to be updated",
            )
        return Finding(what="version", state="good", said=found.git_version)

    def _namespace(self) -> Iterator[Finding]:
        """Whether it is there, and under which Pod Security level."""
        try:
            found = self._client.get(self._client.paths.namespace)
        except ApiForbidden:
            said = f"{self._client.namespace}, whose Pod Security level can't be seen"
            yield Finding(what="namespace", state="poor", said=said)
            return
        except Refusal:
            yield _bad("namespace", NamespaceMissing(self._client.namespace))
            return
        labels = msgspec.json.decode(found, type=decodable(_Namespace)).metadata.labels
        level = labels.get(f"{manifests.LEVEL}/enforce", "")
        said = f"{self._client.namespace}, Pod Security level {level or 'not set'}"
        yield Finding(what="namespace", state="good", said=said)

    def _clock(self) -> Finding:
        ahead = self._client.ahead
        if abs(ahead) < _SKEW:
            return Finding(what="clock", state="good")
        return Finding(
            what="clock",
            state="bad",
            said=f"the cluster's is {ahead / 60:.0f} min off ours: stores refuse such requests",
            fix="set this machine's clock: timedatectl set-ntp true",
        )

    def _hardware(self) -> Iterator[Finding]:
        known = cluster.catalogue(self._settings)
        found = cluster.facts(self._client, usage=False)
        if self._wanted != Resources():
            yield self._asked(Admission(known, found, self._settings))
        yield self._classes(known, found)

    def _asked(self, admission: Admission) -> Finding:
        """Whether a run is admitted that asks for what is wanted."""
        try:
            admission.admit(self._wanted)
        except SendoffError as error:
            return _bad("hardware asked for", error)
        return Finding(what="hardware asked for", state="good", said=self._wanted.gpu)

    def _classes(self, known: Catalogue, found: ClusterFacts | None) -> Finding:
        """What runs can ask for, with how many there are."""
        if found is None:
            said = "nodes can't be listed, so nothing is checked before it is sent"
            return Finding(what="GPU classes", state="poor", said=said)
        here = [*offers(known, found, self._settings)]
        shown = ", ".join(each.counted for each in here if each.usable)
        if shown:
            return Finding(what="GPU classes", state="good", said=shown)
        said = f"runs may go to no node of {', '.join(each.name for each in here)}"
        return Finding(
            what="GPU classes",
            state="poor",
            said=said if here else "no node has GPUs of a known class",
            fix="sendoff gpus shows what keeps them off" if here else "",
        )

    def _pods(self) -> Finding:
        """Whether the namespace takes a Job, and would take its pods: by a dry run of each."""
        run = _sample()
        manifest = job.render(run, Choice(), self._settings, runner_secret.secret_name(run.id))
        try:
            self._client.ask(self._client.paths.jobs, manifest, {"dryRun": "All"})
            self._client.ask(self._client.paths.pods, _pod(manifest), {"dryRun": "All"})
        except ApiForbidden as error:
            if error.resource == "pods":
                # The user makes Jobs, and their controller makes pods: the level says the rest.
                return Finding(what="pods", state="good", said="a Job is accepted")
            return _bad("pods", error)
        except SendoffError as error:
            return _bad("pods", error)
        return Finding(what="pods", state="good", said="accepted under the namespace's rules")

    def _queue(self) -> Finding:
        name = self._settings.queue
        try:
            there = Kueue(self._client).has_queue(name)
        except ApiForbidden:
            return Finding(what="queue", state="poor", said=f"{name} can't be seen")
        if there:
            return Finding(what="queue", state="good", said=name)
        said = f"there is no LocalQueue {name}, or no Kueue"
        return Finding(what="queue", state="bad", said=said, fix="kubectl get localqueues")


def _bad(what: str, error: SendoffError) -> Finding:
    said = ": ".join(filter(None, (str(error), error.evidence())))
    return Finding(what=what, state="bad", said=said, fix=error.fix())


def _sample() -> Run:
    digest = Digest.of(b"")
    request = Request(
        inputs=(Input(command=("true",), digest=digest),), repository="registry.invalid/sample"
    )
    return Run(
        id="sendoff-doctor",
        created="2026-01-01T00:00:00Z",
        request=request,
        snapshot=digest,
        environment=digest,
    )


def _pod(manifest: dict[str, Any]) -> dict[str, Any]:
    template = copy.deepcopy(manifest["spec"]["template"])
    template["metadata"]["name"] = manifest["metadata"]["name"]
    return {"apiVersion": "v1", "kind": "Pod", **template}
