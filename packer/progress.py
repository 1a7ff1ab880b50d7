"""How a long step tells what it is doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Listener of one step at a time; called from one thread or several."""

    def start(self, what: str, total: int = 0) -> None:
        """A step begins; `total` bytes are ahead, 0 where that is unknown."""

    def advance(self, amount: int) -> None:
        """`amount` more bytes are done."""

    def done(self, note: str = "") -> None:
        """The step ended; `note` says with what."""


class _Silent:
    def start(self, what: str, total: int = 0) -> None:
        pass

    def advance(self, amount: int) -> None:
        pass

    def done(self, note: str = "") -> None:
        pass


SILENT: Progress = _Silent()
