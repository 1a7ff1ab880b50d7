"""The Secret that a run's runners find their work and their credentials in. Pure."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from dispatcher.kubernetes.errors import AssignmentTooLarge
from dispatcher.kubernetes.job import MANAGED
from dispatcher.kubernetes.run_objects import RUN, Job
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.runner.pod_assignment import CREDENTIALS, FORMAT, NAME
from packer.record import Record

_COMPRESSED_FROM = 200_000
_LIMIT = (1 << 20) - 16_384
"""Bytes of a Secret's values (core/v1, MaxSecretSize), the credentials aside."""


class PodStore(Record, frozen=True):
    """Where pods find the store."""

    url: str
    region: str


def secret_name(run_id: str, stale: str = "") -> str:
    """How the Secret is called; `stale` is the uid of an earlier Job, whose own may still go."""
    return f"{run_id}-runner" + (f"-{stale[:5]}" if stale else "")


def assignment(run: Run, store: PodStore, memory: int) -> dict[str, bytes]:
    """The file that tells the runner what to do, compressed where it is large.

    Raises:
        AssignmentTooLarge
    """
    request = run.request
    told = {
        "format": FORMAT,
        "run": run.id,
        "store": {"kind": "s3", "url": store.url, "region": store.region},
        "inputs": [{"command": each.command, "digest": each.digest} for each in request.inputs],
        "per_pod": request.per_pod,
        "outputs": request.outputs,
        "timeout": request.timeout,
        "grace": request.grace,
        "memory": memory,
        "environment": request.environment,
        "secrets": request.secrets,
        "data": _data(request),
    }
    data = json.dumps(told, separators=(",", ":")).encode()
    if len(data) <= _COMPRESSED_FROM:
        return {NAME: data}
    packed = gzip.compress(data, 1, mtime=0)
    if len(packed) > _LIMIT:
        raise AssignmentTooLarge(len(packed), _LIMIT, len(request.inputs))
    return {f"{NAME}.gz": packed}


def _data(request: Request) -> list[dict[str, Any]]:
    if not request.data:
        return []
    from dispatcher import inputs

    return inputs.told(request.data)


def render(name: str, job: Job, files: dict[str, bytes]) -> dict[str, Any]:
    """The Secret with these files; it belongs to the Job, and goes with it."""
    owner = {"name": job.metadata.name, "uid": job.metadata.uid}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "immutable": True,
        "metadata": {
            "name": name,
            "labels": {MANAGED: "sendoff", RUN: job.metadata.name},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", **owner}],
        },
        "data": {file: base64.b64encode(data).decode() for file, data in files.items()},
    }


__all__ = ["CREDENTIALS", "PodStore", "assignment", "render", "secret_name"]
