"""A bar for what is waited for, on a terminal and in a notebook; nothing elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from sendoff.terminal.console import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dispatcher.status import RunStatus
    from sendoff.handle import Run


class Bar:
    """How many indexes of a run have ended, and how many of those badly."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shown: tuple[Progress, TaskID] | None = None

    def seen(self, status: RunStatus) -> None:
        """Take note of how the run is."""
        if self._shown:
            progress, task = self._shown
            states = [index.state for index in status.indexes]
            ended = sum(index.final for index in status.indexes)
            bad = ended - states.count("succeeded")
            words = self._run.id + (f", {bad} failed" if bad else "")
            progress.update(task, completed=ended, description=words)

    def __enter__(self) -> Self:
        if is_terminal(sys.stderr) or _in_notebook():
            from rich.console import Console
            from rich.progress import Progress

            progress = Progress(console=Console(stderr=True), transient=True)
            progress.start()
            self._shown = progress, progress.add_task(self._run.id, total=len(self._run))
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._shown[0].stop()


def _in_notebook() -> bool:
    """Whether a kernel shows what is displayed."""
    return "ipykernel.zmqshell" in sys.modules
