"""A run as a Job: one Indexed Job for all its inputs. Pure."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

from dispatcher.kubernetes.admission import Choice
from dispatcher.kubernetes.pod import CONTAINER, PodTemplate
from dispatcher.kubernetes.run_objects import RUN
from dispatcher.kubernetes.settings import ClusterSettings
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.runner.exit_status import PERMANENT
from packer.record import encode

SPEC = "sendoff.io/spec"
GROUP = "sendoff.io/group"
RUNNER = "sendoff.io/runner"
"""Annotation with the name of the Secret that the runners read."""
MANAGED = "app.kubernetes.io/managed-by"
QUEUE = "kueue.x-k8s.io/queue-name"

_LABEL = re.compile(r"[^A-Za-z0-9._-]+")
_LABEL_LENGTH = 63
_DISRUPTIONS = 4
"""Replacements of a pod that the deadline leaves time for."""


def render(run: Run, choice: Choice, settings: ClusterSettings, secret: str) -> dict[str, Any]:
    """The Job of a run, whose runner finds its files in the Secret `secret`.

    All inputs of a run hold the same files; their images differ in the command alone, which the
    runner is told. So the first one's image is that of all pods.
    """
    request = run.request
    labels = _labels(run, settings)
    pods = pods_of(request)
    template = PodTemplate(request, choice, settings, image(request, settings), secret)
    queue = _queue(choice, settings)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run.id,
            "labels": {**labels, **({QUEUE: queue} if queue else {})},
            "annotations": {SPEC: spec_hash(request), RUNNER: secret},
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": pods,
            "parallelism": min(pods, request.max_parallel or settings.parallel),
            "suspend": bool(queue),
            "backoffLimitPerIndex": request.retries + settings.spare,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _rules()},
            "activeDeadlineSeconds": deadline(request, settings),
            "ttlSecondsAfterFinished": settings.ttl,
            "template": template.render(labels),
        },
    }


def pods_of(request: Request) -> int:
    """How many pods, which are the Job's completion indexes, work through the inputs."""
    return math.ceil(len(request.inputs) / request.per_pod)


def image(request: Request, settings: ClusterSettings) -> str:
    """The image by digest, under the name that nodes know the registry by."""
    repository = settings.repository or request.repository
    return f"{repository.partition('://')[2] or repository}@{request.inputs[0].digest}"


def spec_hash(request: Request) -> str:
    """What tells two requests under one name apart."""
    return hashlib.sha256(encode(request)).hexdigest()


def deadline(request: Request, settings: ClusterSettings) -> int:
    """Seconds after which the Job is ended, as neither waiting nor disruptions ever end it.

    A backstop: the runner keeps the command's own time-out.
    """
    if not request.timeout:
        return round(settings.longest)
    waiting = settings.queue_timeout or settings.longest
    attempt = request.timeout + request.grace + settings.flush + settings.pending_timeout
    attempts = request.retries + settings.spare + 1 + _DISRUPTIONS
    whole = waiting + attempt * attempts * waves(request, settings)
    return round(min(whole, 2 * settings.longest))


def waves(request: Request, settings: ClusterSettings) -> int:
    """How many commands run one after another, where as many run at once as may."""
    parallel = request.max_parallel or settings.parallel
    return math.ceil(pods_of(request) / parallel) * request.per_pod


def _rules() -> list[dict[str, Any]]:
    """The first that fits decides; a pod that none fits is counted and replaced."""
    permanent = {"containerName": CONTAINER, "operator": "In", "values": list(PERMANENT)}
    return [
        {"action": "FailIndex", "onExitCodes": permanent},
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        },
    ]


def _labels(run: Run, settings: ClusterSettings) -> dict[str, str]:
    own = {MANAGED: "sendoff", RUN: run.id}
    if run.request.group:
        own[GROUP] = label_value(run.request.group)
    return {**settings.labels, **own}


def label_value(text: str) -> str:
    """`text` as the value of a label (apimachinery, IsValidLabelValue)."""
    return _LABEL.sub("-", text)[:_LABEL_LENGTH].strip("._-")


def _queue(choice: Choice, settings: ClusterSettings) -> str:
    own = [each.queue for each in choice.classes if each.queue]
    return own[0] if own else settings.queue
