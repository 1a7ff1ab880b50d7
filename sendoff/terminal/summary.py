"""A run for a machine: the documents that `--json` prints."""

from __future__ import annotations

from typing import Any

import msgspec

from dispatcher.run import UNPACKED
from sendoff import cost
from sendoff.handle import Index, Run


def of_index(index: Index) -> dict[str, Any]:
    """One index: what it is and what became of it."""
    status = index.status
    manifest, failure = status.manifest, status.failure
    return {
        "index": index.number,
        "name": index.name,
        "state": status.state,
        "exit_code": index.exit_code,
        "digest": None if index.digest == UNPACKED else index.digest,
        "command": index.command,
        "parameters": index.parameters,
        "attempts": status.attempts,
        "started": status.started,
        "ended": status.ended,
        "seconds": manifest.usage.wall if manifest else None,
        "phases": msgspec.to_builtins(manifest.phases) if manifest else None,
        "failure": msgspec.to_builtins(failure) if failure else None,
        "waiting": msgspec.to_builtins(status.waiting) if status.waiting else None,
        "warnings": manifest.warnings if manifest else (),
        "files": len(index.files) if manifest else None,
    }


def of_run(run: Run) -> dict[str, Any]:
    """A run with all its indexes; one of a single command also has its digest and exit code.

    `warnings` are those of packing; those of what the command wrote are with the indexes.
    """
    indexes = [of_index(index) for index in run]
    request = run.record.request
    document: dict[str, Any] = {
        "id": run.id,
        "state": run.state,
        "created": run.record.created,
        "name": request.name,
        "group": request.group,
        "project": request.project,
        "target": request.target,
        "reused": run.reused,
        "warnings": run.warnings,
        "usage": cost.document(cost.of_run(run)),
        "indexes": indexes,
    }
    if len(indexes) == 1:
        document |= {key: indexes[0][key] for key in ("digest", "exit_code")}
    return document
