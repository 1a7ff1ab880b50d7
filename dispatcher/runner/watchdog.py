"""Ends a command whose GPUs have nothing to do, where that was asked for."""

from __future__ import annotations

from signal import SIGTERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .gpu import Gpus
    from .log import Log
    from .watch import Watch

# Of the time there is, the part after which the log warns.
_WARNING = 0.5
_MINUTE = 60


class Watchdog:
    """Looks at how long all GPUs of a command have been idle. One look in a second is enough."""

    def __init__(self, gpus: Gpus, seconds: float, watch: Watch, log: Log) -> None:
        """`gpus` knows what idle means."""
        self._gpus, self._seconds, self._watch, self._log = gpus, seconds, watch, log
        self._warned = self._ended = False

    def beside(self, sample: Callable[[], float]) -> Callable[[], float]:
        """A function that looks whenever `sample` does, and as soon again."""

        def both() -> float:
            self._look(self._gpus.idle())
            return sample()

        return both

    def _look(self, idle: float) -> None:
        if idle < self._seconds * _WARNING:
            self._warned = False
        elif not self._warned and not self._ended:
            self._warned = True
            left = self._seconds - idle
            then = f"it will be ended in {_words(left)} unless that changes" if left > 0 else ""
            self._say(f"warning: {self._idleness(idle)}; {then}".removesuffix("; "))
        if idle >= self._seconds and not self._ended:
            self._ended = True
            self._say(f"ending the command: {self._idleness(idle)}")
            self._watch.stop("idle", SIGTERM)

    def failure(self, grace: float, *, killed: bool) -> dict[str, Any]:
        """Why the command was ended, as in the manifest."""
        how = f"had to be killed {grace:g} s later" if killed else "it ended when asked to"
        limit = self._gpus.idle_share
        return {
            "code": "GPU_IDLE",
            "phase": "run",
            "blame": "user",
            "retryable": False,
            "message": f"its GPUs were less than {limit:.0%} busy for {_words(self._seconds)}",
            "evidence": [f"SIGTERM after {_words(self._seconds)} below {limit:.0%}; {how}"],
            "fix": "keep the GPU fed, or allow more: --idle-limit; sendoff logs shows what it did",
        }

    def _say(self, text: str) -> None:
        self._log.remark(text, self._watch.seconds)

    def _idleness(self, idle: float) -> str:
        share, count = self._gpus.idle_share, len(self._gpus.facts)
        which = "the GPU has" if count == 1 else f"all {count} GPUs have"
        return f"{which} been less than {share:.0%} busy for {_words(idle)} (--idle-limit)"


def _words(seconds: float) -> str:
    """A duration for people."""
    if seconds < _MINUTE:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} m {rest:02} s" if rest else f"{minutes} m"
