"""`python -I -S <RUNNER> [ASSIGNMENT]`: the assignment is a file, or a line on standard input.

In the second case standard input is a socket. Each line on it is answered by the status of that
attempt, as in `exit_status`, and "clean" where the workspace is as it was; another may follow. It
stays open as long as whoever wants the run lives; its end ends the command.

`python -I -S <RUNNER> pod` is the main process of a pod: see `pod`.
"""

from __future__ import annotations

import os
import sys

from .exit_status import INTERNAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .assignment import Assignment
    from .attempt import Attempt
    from .calls import Calls
    from .watch import Signals


_NEEDED = ("attempt", "ledger", "memory")
"""What an attempt needs at its start, loaded while none waits for it yet."""


def main(arguments: list[str]) -> int:
    """Do what is assigned; the exit status of one assignment is one of those in `exit_status`."""
    try:
        if arguments == ["pod"]:
            from . import pod

            return pod.main()
        return _from_file(arguments[0]) if arguments else _attempts()
    except Exception:  # noqa: BLE001 (whatever it was, it must never pass for a success)
        import traceback

        traceback.print_exc()
        return INTERNAL


def _attempts() -> int:
    """Work through assignments, one line each; the answer to each is a line too."""
    for module in _NEEDED:
        __import__(f"{__package__}.{module}")
    from .assignment import Assignment
    from .watch import Signals

    signals, calls = Signals(), None
    variables: dict[str, str] | None = None
    while line := _line(0):
        assignment = Assignment.read(line)
        if assignment.environment not in (None, variables):
            # The runner is older than what it is given, and the driver's library asks for them.
            variables = assignment.environment
            os.environ.clear()
            os.environ.update(variables)
        if assignment.several and calls is None:
            from .calls import Calls

            calls = Calls()
        attempt, status = _attempt(assignment, signals, calls, lifeline=0)
        clean = b" clean" if assignment.several and attempt.clean() else b""
        try:
            os.write(0, b"%d%s\n" % (status, clean))
        except OSError:
            # Nobody is there any more to whom it could matter.
            break
    if calls:
        calls.close()
    return 0


def _attempt(
    assignment: Assignment, signals: Signals | None, calls: Calls | None, lifeline: int
) -> tuple[Attempt, int]:
    from .attempt import Attempt
    from .ledger import Ledger
    from .store import DirectoryStore

    store = DirectoryStore(assignment.store)
    attempt = Attempt(
        assignment,
        Ledger(store, assignment),
        lifeline=lifeline,
        signals=signals,
        environment=assignment.environment,
        calls=calls,
    )
    if assignment.data:
        from .data import Data, DataUnusable
        from .outcome import data_unusable

        try:
            data = Data(assignment.data, store, "")
            data.fetch()
            data.place(assignment.workspace)
        except DataUnusable as error:
            return attempt, attempt.refuse("failed", data_unusable(str(error)))
    return attempt, attempt.run()


def _from_file(path: str) -> int:
    from .assignment import Assignment

    with open(path, "rb") as stream:
        assignment = Assignment.read(stream.read())
    return _attempt(assignment, None, None, lifeline=-1)[1]


def _line(descriptor: int) -> bytes:
    """What comes up to a newline, after which nothing comes for now; empty at the end."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 1 << 16)
        if not piece:
            break
        line += piece
    return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
