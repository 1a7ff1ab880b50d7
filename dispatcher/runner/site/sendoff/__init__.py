"""`import sendoff` inside a run: where am I, and the same decorators as outside.

This small module stands in for the whole of sendoff, which is not packed into images.
"""

from __future__ import annotations

import os
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, NoReturn

__all__ = ["attempt", "index", "inside", "output_dir", "remote", "run_id"]

run_id = os.environ.get("SENDOFF_RUN", "")
index = int(os.environ.get("SENDOFF_INDEX", "0"))
attempt = int(os.environ.get("SENDOFF_ATTEMPT", "1"))

_OUTSIDE = frozenset(
    {"Function", "Mapped", "Run", "RunGroup", "get", "group", "ship", "ship_many", "sweep"}
)


class SendoffError(Exception):
    """Nothing raises it here; code that catches it works in a run too."""


RemoteError = ResultUnpicklable = CallFailed = CallCancelled = CallTimedOut = SendoffError


def inside() -> bool:
    """Whether this code runs in a run: here, always."""
    return True


def output_dir() -> Path:
    """Where files are results whatever they are called."""
    from pathlib import Path

    folder = Path(os.environ.get("SENDOFF_OUTPUT_DIR", "."))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remote(function: Any = None, **_options: Any) -> Any:
    """The function itself: what is sent off from outside is called here."""
    if function is None:
        return remote
    for verb in ("remote", "spawn", "map", "starmap"):
        setattr(function, verb, partial(_refuse, verb))
    function.options = lambda **_options: function
    return function


def __getattr__(name: str) -> Any:
    """What else sendoff has outside: it can be named here, and not called."""
    if name not in _OUTSIDE:
        raise AttributeError(f"inside a run, 'sendoff' has no {name!r}")
    return partial(_refuse, name)


def _refuse(verb: str, *_arguments: Any, **_options: Any) -> NoReturn:
    raise RuntimeError(
        f"sendoff: {verb} was called inside the run {run_id}; what sends off stands below "
        'if __name__ == "__main__":'
    )
