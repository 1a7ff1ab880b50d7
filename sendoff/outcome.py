"""What became of an index, as an exit code and in words."""

from __future__ import annotations

import signal
from collections.abc import Iterable

from dispatcher.run import Manifest, State
from dispatcher.status import IndexStatus
from sendoff.quantities import show_duration
from sendoff.terminal.console import Colour

OURS = 125
TIMED_OUT = 124
CANCELLED = 130
_BY_SIGNAL = 128

COLOURS: dict[State, Colour] = {
    "queued": "faint",
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "yellow",
    "timed-out": "red",
    "lost": "red",
}


def exit_code(index: IndexStatus) -> int:
    """The command's own exit code where it has one, else one of ours.

    A signal that ended the command counts as shells count it: 128 and its number.
    """
    own = {"timed-out": TIMED_OUT, "cancelled": CANCELLED, "succeeded": 0}.get(index.state)
    if own is not None:
        return own
    if _was_idle(index):
        return OURS
    if index.manifest and index.manifest.signal:
        return _BY_SIGNAL + getattr(signal, index.manifest.signal, 0)
    return index.exit_code or OURS


def of_all(states: Iterable[State]) -> int:
    """The exit code for several indexes: 0 if all succeeded, 1 if any did not."""
    return 0 if all(state == "succeeded" for state in states) else 1


def sentence(index: IndexStatus) -> str:
    """Such as "succeeded in 3.2 s", "failed with exit code 3 after 3.2 s", "queued: no h100 …"."""
    took = _took(index.manifest) if index.manifest else ""
    how = index.state.replace("-", " ")
    if index.waiting:
        return f"{how}: {index.waiting.message}"
    if index.state == "succeeded" and took:
        return f"{how} in {took}"
    if _was_idle(index):
        how += " for want of work for its GPUs"
    elif index.manifest and index.state == "failed":
        if index.manifest.signal:
            how += f" by {index.manifest.signal}"
        elif index.exit_code:
            how += f" with exit code {index.exit_code}"
    return f"{how} after {took}" if took else how


def _took(manifest: Manifest) -> str:
    """For how long its command ran; empty where nobody knows, or it never did."""
    seconds = manifest.usage.wall or manifest.phases.running
    return "" if seconds is None else show_duration(seconds)


def _was_idle(index: IndexStatus) -> bool:
    """Whether the watchdog ended it, so that how the command took it says nothing."""
    return index.failure is not None and index.failure.code == "GPU_IDLE"
