"""A bar for what is waited for, on a terminal and in a notebook; nothing elsewhere."""

from __future__ import annotations

import html
import importlib
import sys
from typing import TYPE_CHECKING, Any, Protocol, Self

from sendoff.terminal.console import is_terminal

if TYPE_CHECKING:
    from dispatcher.status import RunStatus
    from sendoff.handle import Run


class _Shown(Protocol):
    """A bar that somebody sees."""

    def update(self, ended: int, words: str) -> None: ...

    def close(self) -> None: ...


class Bar:
    """How many indexes of a run have ended, and how many of those badly."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shown: _Shown | None = None

    def seen(self, status: RunStatus) -> None:
        """Take note of how the run is."""
        if self._shown:
            states = [index.state for index in status.indexes]
            ended = sum(index.final for index in status.indexes)
            bad = ended - states.count("succeeded")
            self._shown.update(ended, self._run.id + (f", {bad} failed" if bad else ""))

    def __enter__(self) -> Self:
        if _in_notebook():
            self._shown = _NotebookBar(self._run.id, len(self._run))
        elif is_terminal(sys.stderr):
            self._shown = _TerminalBar(self._run.id, len(self._run))
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._shown.close()


class _TerminalBar:
    """A line on standard error that is gone once all is done."""

    def __init__(self, words: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        # What the loop prints goes above the bar; but a file, or a pipe, is to have it as it is.
        self._progress = Progress(
            console=Console(stderr=True), transient=True, redirect_stdout=is_terminal(sys.stdout)
        )
        self._progress.start()
        self._task = self._progress.add_task(words, total=total)

    def update(self, ended: int, words: str) -> None:
        self._progress.update(self._task, completed=ended, description=words)

    def close(self) -> None:
        self._progress.stop()


class _NotebookBar:
    """An output of the cell, which stays. Plain HTML: it needs no widgets on either side."""

    def __init__(self, words: str, total: int) -> None:
        self._total = total
        display: Any = importlib.import_module("IPython.display").display
        self._handle = display(self._bundle(0, words), raw=True, display_id=True)

    def update(self, ended: int, words: str) -> None:
        self._handle.update(self._bundle(ended, words), raw=True)

    def close(self) -> None:
        """It shows what came of it."""

    def _bundle(self, ended: int, words: str) -> dict[str, str]:
        text = f"{words}: {ended} of {self._total}"
        bar = f'<progress value="{ended}" max="{self._total}"></progress>'
        return {"text/plain": text, "text/html": f"{bar} {html.escape(text)}"}


def _in_notebook() -> bool:
    """Whether a kernel shows what is displayed."""
    return "ipykernel.zmqshell" in sys.modules
