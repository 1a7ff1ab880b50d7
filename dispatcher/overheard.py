"""Output that was heard before the store had it: shown at once, and once only. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

Stream = Literal["stdout", "stderr"]


class Overheard:
    """Keeps apart what was shown from what the store brings later.

    What is heard are whole lines without their stream; the store has pieces of lines, and each
    stream's in order.
    """

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        """Lines that were shown, and that the store has not brought yet."""
        self._begun: dict[Stream, str] = {"stdout": "", "stderr": ""}
        """The unfinished line of each stream, as far as the store has brought it."""
        self._held: dict[Stream, str] = {"stdout": "", "stderr": ""}
        """What of it has not been shown, as it may be a line that was heard."""

    def hear(self, line: str) -> tuple[Stream, str] | None:
        """What to show of a line that was heard; None where that is left to the store."""
        # A line that is written over itself comes bit by bit, and late as a whole.
        if "\r" in line:
            return None
        self._waiting[line] += 1
        for stream, begun in self._begun.items():
            shown = begun.removesuffix(self._held[stream])
            if shown and line.startswith(shown):
                return stream, line[len(shown) :]
        return "stdout", line

    def bring(self, stream: Stream, text: str) -> Iterator[str]:
        """What to show of a piece that the store has brought."""
        for part in _lines(text):
            whole = self._begun[stream] + part
            fresh = self._held[stream] + part
            if not whole.endswith("\n"):
                self._begun[stream] = whole
                if self._may_be_heard(whole):
                    self._held[stream] = fresh
                    continue
                self._held[stream] = ""
                yield fresh
                continue
            self._begun[stream] = self._held[stream] = ""
            if self._waiting[whole]:
                self._waiting[whole] -= 1
            else:
                yield fresh

    def end(self) -> Iterator[tuple[Stream, str]]:
        """What was held back; nothing more is heard."""
        for stream, held in self._held.items():
            if held:
                yield stream, held
        self._waiting.clear()

    @property
    def pending(self) -> bool:
        """Whether something was shown that the store has yet to bring."""
        return any(self._waiting.values())

    def _may_be_heard(self, begun: str) -> bool:
        return any(count and line.startswith(begun) for line, count in self._waiting.items())


def _lines(text: str) -> Iterator[str]:
    """The lines of a text with their ends; the last may have none."""
    *whole, rest = text.split("\n")
    yield from (line + "\n" for line in whole)
    if rest:
        yield rest
