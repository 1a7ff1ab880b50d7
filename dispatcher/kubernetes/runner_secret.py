"""The Secrets that a run's runners find their work and their credentials in. Pure."""

from __future__ import annotations

import base64
from typing import Any

from dispatcher import pod_config
from dispatcher.kubernetes.errors import AssignmentTooLarge
from dispatcher.kubernetes.job import MANAGED
from dispatcher.kubernetes.run_objects import RUN, Job
from dispatcher.pod_config import PodTerms
from dispatcher.run import Run

_LIMIT = (1 << 20) - 16_384
"""Bytes of a Secret's values (core/v1, MaxSecretSize), the credentials aside."""


def secret_name(run_id: str, stale: str = "") -> str:
    """How the Secret is called; `stale` is the uid of an earlier Job, whose own may still go."""
    return f"{run_id}-runner" + (f"-{stale[:5]}" if stale else "")


def assignment(run: Run, terms: PodTerms) -> dict[str, bytes]:
    """The file that tells the runner what to do, compressed where it is large.

    Raises:
        AssignmentTooLarge
    """
    files = pod_config.assignment(run, terms)
    size = sum(map(len, files.values()))
    if size > _LIMIT:
        raise AssignmentTooLarge(size, _LIMIT, len(run.request.inputs))
    return files


def render(
    name: str, job: Job, files: dict[str, bytes], *, immutable: bool = True
) -> dict[str, Any]:
    """The Secret with these files; it belongs to the Job, and goes with it."""
    owner = {"name": job.metadata.name, "uid": job.metadata.uid}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "immutable": immutable,
        "metadata": {
            "name": name,
            "labels": {MANAGED: "sendoff", RUN: job.metadata.name},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", **owner}],
        },
        "data": {file: base64.b64encode(data).decode() for file, data in files.items()},
    }
