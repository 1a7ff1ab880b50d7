"""What a call came to: the value it returned, or the exception that it raised."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher import results
from dispatcher.run import Manifest
from dispatcher.runner.site.sendoff import values
from sendoff import outcome
from sendoff.errors import Misuse
from sendoff.functions.errors import (
    CallCancelled,
    CallFailed,
    CallTimedOut,
    RemoteError,
    RemoteTraceback,
    ResultUnpicklable,
)

if TYPE_CHECKING:
    from dispatcher.status import IndexStatus
    from sendoff.handle import Index

_CALL = ("-m", "sendoff.call")
_VALUES = ("result.json", "result.npz", "result.pkl")
_ENDINGS_OF_LOOPS = (StopIteration, StopAsyncIteration)
"""Raised here, they would end the loop that waits for a result; no generator or future has them."""
_ENDINGS = {"cancelled": CallCancelled, "timed-out": CallTimedOut}


def value(index: Index) -> Any:
    """What an index that has ended returned. A pickle is unpickled: it is of our own run.

    Raises:
        Exception: what the function raised.
        RemoteError: that can't be made again here.
        ResultUnpicklable: what it returned could not be stored.
        CallFailed, CallCancelled, CallTimedOut: it did not come to return.
        Misuse: the run is of a command, not of a function.
    """
    status = index.status
    if index.command[1:3] != _CALL:
        raise Misuse(
            f"{index.name} is of a command and returns nothing",
            f"it is {' '.join(index.command[:3])} …",
            "its files are results: run.results(…)",
        )
    manifest = status.manifest
    names = {file.path for file in manifest.files} if manifest else set()
    if manifest and status.state == "succeeded":
        for name in _VALUES:
            if name in names:
                return _read(index, manifest, name)
    if manifest and "error.json" in names and status.state == "failed":
        raise _error(index, manifest, pickled="error.pkl" in names)
    raise _failed(index, status)


def _read(index: Index, manifest: Manifest, name: str) -> Any:
    with_types = any(file.path == "result.types.json" for file in manifest.files)
    if name == "result.json" and not with_types:
        return json.loads(results.content(manifest, name, index.places))
    with tempfile.TemporaryDirectory(prefix="sendoff-") as folder:
        results.fetch_of(manifest, index.places, Path(folder), ("result.*",))
        return values.read(f"{folder}/{name}")


def _error(index: Index, manifest: Manifest, *, pickled: bool) -> Exception:
    """The exception as itself where it can be made, and raised, again."""
    told = json.loads(results.content(manifest, "error.json", index.places))
    if "result" in told:
        return ResultUnpicklable(index.name, told)
    if pickled:
        import io

        data = results.content(manifest, "error.pkl", index.places)
        try:
            error = values.unpickle(io.BytesIO(data))
        except Exception:  # noqa: BLE001 (its class may not be here, or be another one)
            error = None
        if isinstance(error, Exception) and not isinstance(error, _ENDINGS_OF_LOOPS):
            error.__cause__ = RemoteTraceback(told["traceback"])
            error.add_note(f"raised in {index.name}: sendoff logs {index.name}")
            return error
    return RemoteError(index.name, told)


def _failed(index: Index, status: IndexStatus) -> CallFailed:
    kind = _ENDINGS.get(status.state, CallFailed)
    words = outcome.sentence(status)
    if status.state == "succeeded":
        words += ", and left no result"
    return kind(index.name, status.state, status.failure, words)
