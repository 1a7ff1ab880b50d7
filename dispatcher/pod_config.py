"""The files that a runner in a container is started with: its assignment, and credentials."""

from __future__ import annotations

import gzip
import json
from typing import Any

from dispatcher.inputs import told
from dispatcher.run import Run
from dispatcher.runner.pod_assignment import CREDENTIALS, FORMAT, NAME

_LARGE = 200_000
"""Bytes from which an assignment is compressed: a Secret holds a megabyte, all told."""


def files(
    run: Run, store: dict[str, Any], *, per_pod: int = 1, credentials: bytes = b""
) -> dict[str, bytes]:
    """Name → content, for the folder that `$SENDOFF_POD_CONFIG` names.

    `store` is as `PodAssignment.store`, as the container reaches it.
    """
    assigned = {NAME: assignment(run, store, per_pod)}
    if len(assigned[NAME]) > _LARGE:
        assigned = {f"{NAME}.gz": gzip.compress(assigned[NAME], 6, mtime=0)}
    return assigned | ({CREDENTIALS: credentials} if credentials else {})


def assignment(run: Run, store: dict[str, Any], per_pod: int = 1) -> bytes:
    """What the runner is told of a run: a `PodAssignment` as JSON."""
    request = run.request
    assigned = {
        "format": FORMAT,
        "run": run.id,
        "store": store,
        "inputs": [{"command": list(one.command), "digest": one.digest} for one in request.inputs],
        "per_pod": per_pod,
        "outputs": list(request.outputs),
        "timeout": request.timeout,
        "grace": request.grace,
        "memory": request.resources.memory,
        "environment": request.environment,
        "secrets": list(request.secrets),
        "data": told(request.data),
    }
    return json.dumps(assigned, separators=(",", ":")).encode()
