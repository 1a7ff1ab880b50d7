"""The same key gives the same run: what an idempotency key stands for, in the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from dispatcher.errors import Conflict, RunUnknown
from dispatcher.request import Request
from dispatcher.run import UNPACKED, Run
from dispatcher.runner.keys import idempotency
from dispatcher.store import Exists, Missing, Runs
from packer import record


def known(run: Run, runs: Runs) -> Run | None:
    """The run that was sent off with the same key, if it is of the same request.

    Raises:
        Conflict: it is of another.
    """
    if not run.request.idempotency_key:
        return None
    try:
        return same(run, runs.run(_first(run, runs)))
    except (Missing, RunUnknown):
        return None


def holder(request: Request, runs: Runs) -> str:
    """The id that a request's key stands for; empty where it has none, or one that is new."""
    if not request.idempotency_key:
        return ""
    try:
        return _read(_place(request), runs)
    except Missing:
        return ""


def named_by_key(run: Run, runs: Runs) -> Run:
    """The run under the id that its key was first used with."""
    if not run.request.idempotency_key:
        return run
    try:
        runs.store.put_new(_place(run.request), record.encode({"run": run.id}))
    except Exists:
        return replace(run, id=_first(run, runs))
    return run


def renamed(run: Run, runs: Runs) -> None:
    """Let the key stand for `run`, because what it stood for became no run."""
    runs.store.put(_place(run.request), record.encode({"run": run.id}))


def same(run: Run, stored: Run) -> Run:
    """The stored run, if it is of the same request.

    Raises:
        Conflict
    """
    if run.request == stored.request:
        return stored
    differences = list(_differences(run.request, stored.request))
    raise Conflict(run.request.idempotency_key or run.id, stored.id, differences)


def as_ordered(request: Request) -> Request:
    """The request less all that only packing finds out."""
    return replace(
        request,
        inputs=tuple(replace(each, digest=UNPACKED) for each in request.inputs),
        data=(),
        resources=replace(request.resources, cuda="", driver=""),
    )


def _first(run: Run, runs: Runs) -> str:
    return _read(_place(run.request), runs)


def _read(place: str, runs: Runs) -> str:
    found: str = json.loads(runs.store.get(place))["run"]
    return found


def _place(request: Request) -> str:
    return idempotency(hashlib.sha256(request.idempotency_key.encode()).hexdigest())


def _differences(asked: Any, stored: Any) -> Iterator[str]:
    for field in asked.__struct_fields__:
        if getattr(asked, field) != getattr(stored, field):
            yield field
