"""`python -I -S <RUNNER> [ASSIGNMENT]`: the assignment is a file, or the first line on stdin.

In the second case standard input stays open as long as whoever wants the run lives; its end ends
the command. `python -I -S <RUNNER> pod` is the main process of a pod: see `pod`.
"""

from __future__ import annotations

import os
import sys

from .exit_status import INTERNAL


def main(arguments: list[str]) -> int:
    """Do one assignment; the exit status is one of those in `exit_status`."""
    try:
        if arguments == ["pod"]:
            from . import pod

            return pod.main()
        return _attempt(arguments)
    except Exception:  # noqa: BLE001 (whatever it was, it must never pass for a success)
        import traceback

        traceback.print_exc()
        return INTERNAL


def _attempt(arguments: list[str]) -> int:
    from .assignment import Assignment
    from .attempt import Attempt
    from .ledger import Ledger
    from .store import DirectoryStore

    lifeline = -1 if arguments else 0
    if arguments:
        with open(arguments[0], "rb") as stream:
            assignment = Assignment.read(stream.read())
    else:
        assignment = Assignment.read(_line(0))
    store = DirectoryStore(assignment.store)
    attempt = Attempt(assignment, Ledger(store, assignment), lifeline=lifeline)
    if assignment.data:
        from .data import Data, DataUnusable
        from .outcome import data_unusable

        try:
            data = Data(assignment.data, store, "")
            data.fetch()
            data.place(assignment.workspace)
        except DataUnusable as error:
            return attempt.refuse("failed", data_unusable(str(error)))
    return attempt.run()


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
