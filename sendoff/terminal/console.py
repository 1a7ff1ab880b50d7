"""Where words go: results to standard output, narration to standard error.

Without a terminal nothing is coloured, shortened or animated.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TextIO

Colour = Literal["red", "green", "yellow", "cyan", "bold", "faint"]

_CODES: dict[Colour, str] = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "bold": "1",
    "faint": "2",
}


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads `stream`, as far as we can tell."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        # What a program has put in its place, or has closed.
        return False


def paint(text: str, colour: Colour | None, stream: TextIO) -> str:
    """`text` in a colour where `stream` shows colours (no-color.org)."""
    if colour is None or not is_terminal(stream) or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


class Console:
    """The two outputs of one command.

    With `machine` the result is one JSON document, and narration stays as it is.
    """

    def __init__(self, *, machine: bool = False, quiet: bool = False) -> None:
        self.machine, self.quiet = machine, quiet

    @property
    def wide(self) -> bool:
        """Whether values are shown in full, because no person has to read them."""
        return not is_terminal(sys.stdout)

    def say(self, text: str, colour: Colour | None = None) -> None:
        """A line of narration."""
        if not self.quiet:
            _write(sys.stderr, paint(text, colour, sys.stderr))

    def result(self, text: object) -> None:
        """A line of the result."""
        _write(sys.stdout, str(text))

    def document(self, value: Any) -> None:
        """The result for a machine."""
        self.result(json.dumps(_plain(value), indent=None if self.wide else 2))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table as the result: columns aligned, numbers to the right."""
        for place, line in enumerate(align(header, rows)):
            self.result(paint(line, "bold" if place == 0 else None, sys.stdout))


@contextmanager
def writing(stream: TextIO) -> Iterator[None]:
    """Write to one of our outputs.

    Raises:
        BrokenPipeError: nobody reads it.
        OutputUnwritable: it leads to where nothing can be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        from sendoff.errors import OutputUnwritable

        name = "standard output" if stream is sys.stdout else "standard error"
        abandon(stream)
        raise OutputUnwritable(name, error.strerror or str(error)) from error


def abandon(stream: TextIO) -> None:
    """Have nothing come of what is in the stream, or is written to it from now on.

    Python flushes it once more at its end, and what fails there would take our exit code's place.
    """
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def _write(stream: TextIO, line: str) -> None:
    # What is no UTF-8 in a file's name is shown as what it is, whatever the terminal's encoding.
    safe = line.encode(stream.encoding or "utf-8", "backslashreplace")
    with writing(stream):
        stream.write(safe.decode(stream.encoding or "utf-8") + "\n")
        stream.flush()


def visible(text: str) -> str:
    r"""`text` on one line: what would move a terminal's cursor is escaped (`\n`, `\x1b`)."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def align(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, two spaces between columns; a column of numbers is set to the right."""
    rows = [[visible(cell) for cell in row] for row in rows]
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(map(_is_number, column[1:])) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in (header, *rows)
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == "-"
    return True


def _plain(value: Any) -> Any:
    """`value` as JSON can say it; what is no number is said in words ("nan", "inf")."""
    # The usual ones first: a run of many indexes is a document of hundreds of thousands of these.
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, float) and value - value != 0:
        return repr(value)
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, (str, int, float)):
        return value
    import msgspec

    return _plain(msgspec.to_builtins(value, enc_hook=str))
