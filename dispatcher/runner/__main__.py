"""`python -I -S <RUNNER> [ASSIGNMENT]`: the assignment is a file, or the first line on stdin.

In the second case standard input stays open as long as whoever wants the run lives; its end ends
the command.
"""

from __future__ import annotations

import os
import sys

from .assignment import Assignment
from .attempt import INTERNAL, Attempt


def main(arguments: list[str]) -> int:
    """Do one assignment; the exit status is one of those in `attempt`."""
    try:
        if arguments:
            with open(arguments[0], "rb") as stream:
                return Attempt(Assignment.read(stream.read()), -1).run()
        return Attempt(Assignment.read(_line(0)), 0).run()
    except Exception:  # noqa: BLE001 (whatever it was, it must never pass for a success)
        import traceback

        traceback.print_exc()
        return INTERNAL


def _line(descriptor: int) -> bytes:
    """What comes up to a newline; nothing follows it but the end."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 1 << 16)
        if not piece:
            break
        line += piece
    return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
