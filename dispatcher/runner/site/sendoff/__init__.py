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

_OUTSIDE = frozenset({"diff", "get", "group", "reproduce", "ship", "ship_many", "sweep"})
_CLASSES = frozenset({"Function", "Index", "Mapped", "Report", "Run", "RunGroup"})
_VERBS = ("remote", "spawn", "map", "starmap")


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
    try:
        return _with_verbs(function)
    except (AttributeError, TypeError):
        # A function of C, a bound method or an object with __slots__ takes no attributes.
        return _with_verbs(_called(function))


def _with_verbs(function: Any) -> Any:
    verbs: dict[str, Any] = {verb: partial(refuse, verb) for verb in _VERBS}
    for name, value in {**verbs, "options": lambda **_options: function}.items():
        # A class may have a method of that name.
        if not hasattr(function, name):
            setattr(function, name, value)
    return function


def _called(function: Any) -> Any:
    from functools import update_wrapper

    def called(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return update_wrapper(called, function)


def __getattr__(name: str) -> Any:
    """What else sendoff has outside: it can be named here, and not called."""
    if name in _CLASSES:
        # What is annotated with it may say `Run | None` or `Function[..., int]`.
        told = {"__new__": partial(refuse, name), "__class_getitem__": lambda kind, _: kind}
        globals()[name] = type(name, (), told)
        return globals()[name]
    if name not in _OUTSIDE:
        raise AttributeError(f"inside a run, 'sendoff' has no {name!r}")
    return partial(refuse, name)


def refuse(verb: str, *_arguments: Any, **_options: Any) -> NoReturn:
    """Say that this is no place to send anything off from."""
    raise RuntimeError(
        f"sendoff: {verb} was called inside the run {run_id}; what sends off stands below "
        'if __name__ == "__main__":'
    )
