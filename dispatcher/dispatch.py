"""The one verb: send a run off. And what any process may ask or do afterwards."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from packer import record

from dispatcher import status as states
from dispatcher.errors import Conflict, RunUnknown
from dispatcher.local.target import LocalTarget
from dispatcher.places import Places
from dispatcher.run import Run
from dispatcher.runner.keys import idempotency
from dispatcher.status import IndexStatus, RunStatus, Started
from dispatcher.store import Exists, Missing, RunKeys, Runs
from dispatcher.target import Target

# A look costs some 20 µs for each index that is not final.
_PERIOD = 0.01
_LONG_PERIOD = 0.05
_LONG = 10.0


def submit(run: Run, places: Places) -> Run:
    """Send `run` off and return at once; it goes on whatever becomes of this process.

    Returns the run that is under way: `run`, or, where its idempotency key was used for the same
    request before, that earlier one.

    Raises:
        Conflict: the key stands for another request; nothing was changed.
        SendoffError: the target refused it; nothing was written.
    """
    target = _target(places)
    target.check(run.request)
    runs = Runs.at(places)
    run = _named_by_key(run, runs)
    claim = target.claim(run.id)
    if claim is None:
        return _same(run, runs.run(run.id))
    with claim:
        try:
            runs.add(run)
        except Exists:
            run = _same(run, runs.run(run.id))
            if claim.started_before():
                return run
        # Whoever wrote the record may have died before it came to this.
        claim.start(run)
    return run


def runs(places: Places) -> list[Run]:
    """All runs of the store, the newest first."""
    return Runs.at(places).all()


def status(run_id: str, places: Places) -> RunStatus:
    """What is known of a run.

    Raises:
        RunUnknown
    """
    found = Runs.at(places)
    run = found.run(run_id)
    return _status(run, range(len(run.request.inputs)), found, _target(places))


def wait(
    run_ids: Sequence[str], places: Places, timeout: float | None = None
) -> tuple[RunStatus, ...]:
    """The statuses once all runs have ended, or after `timeout` seconds as they are then.

    Raises:
        RunUnknown
    """
    began = time.monotonic()
    found, target = Runs.at(places), _target(places)
    pending = [found.run(run_id) for run_id in run_ids]
    left = {run.id: set(range(len(run.request.inputs))) for run in pending}
    while True:
        for run in pending:
            known = _status(run, sorted(left[run.id]), found, target)
            left[run.id] -= {index.index for index in known.indexes if index.final}
        pending = [run for run in pending if left[run.id]]
        waited = time.monotonic() - began
        if not pending or (timeout is not None and waited >= timeout):
            return tuple(status(run_id, places) for run_id in run_ids)
        time.sleep(_PERIOD if waited < _LONG else _LONG_PERIOD)


def cancel(run_id: str, places: Places, index: int | None = None) -> None:
    """Ask for the end of a run, or of one index; returns at once. One that has ended stays so.

    Raises:
        RunUnknown: there is no such run, or no such index.
    """
    found = Runs.at(places)
    run = found.run(run_id)
    if index is not None and not 0 <= index < len(run.request.inputs):
        raise RunUnknown(run_id, str(places.store), index)
    keys = RunKeys(run_id)
    key = keys.cancel if index is None else keys.cancel_index(index)
    found.store.put(key, record.encode({"at": _now()}))


def _target(places: Places) -> Target:
    return LocalTarget(places)


def _status(run: Run, indexes: Sequence[int], runs: Runs, target: Target) -> RunStatus:
    # First who looks after it, then what there is: in the other order the last commit of a
    # supervisor that is just ending could be missed.
    lost = target.lost(run.id)
    found = []
    for index in indexes:
        manifest = runs.manifest(run.id, index) or target.uncommitted(run.id, index)
        started = None if manifest else _started(run.id, index, runs)
        found.append(states.of_index(index, manifest, started, lost))
    return states.of_run(run.id, found)


def _started(run_id: str, index: int, runs: Runs) -> Started | None:
    for attempt in reversed(runs.attempts(run_id, index)):
        try:
            data = runs.store.get(RunKeys(run_id).started(index, attempt))
        except Missing:
            continue
        return record.decode(data, Started)
    return None


def _named_by_key(run: Run, runs: Runs) -> Run:
    """The run under the id that its idempotency key was first used with."""
    key = run.request.idempotency_key
    if not key:
        return run
    place = idempotency(hashlib.sha256(key.encode()).hexdigest())
    try:
        runs.store.put_new(place, record.encode({"run": run.id}))
    except Exists:
        first: str = json.loads(runs.store.get(place))["run"]
        return msgspec.structs.replace(run, id=first)
    return run


def _same(run: Run, stored: Run) -> Run:
    """The stored run, if it is of the same request."""
    if run.request == stored.request:
        return stored
    differences = list(_differences(run.request, stored.request))
    raise Conflict(run.request.idempotency_key or run.id, run.id, differences)


def _differences(asked: Any, stored: Any) -> Iterator[str]:
    for field in asked.__struct_fields__:
        if getattr(asked, field) != getattr(stored, field):
            yield field


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


__all__ = ["IndexStatus", "RunStatus", "cancel", "runs", "status", "submit", "wait"]
