"""One runner, which is given attempts one after another."""

from __future__ import annotations

# The class alone: the module around it takes a while to load, and a run waits for it.
import _socket
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatcher.runner.assignment import Assignment

_ANSWER = 64


class RunnerProcess:
    """A started runner. It ends its command when this process closes the line, or dies."""

    def __init__(self, environment: str, started: tuple[int, int]) -> None:
        """`environment` is the root of the image's, `started` what `launch` returned for it."""
        self.environment = environment
        self.folder = ""
        """Of all its attempts' files."""
        self.index = self.attempt = -1
        self.asked_to_end = False
        self.clean = False
        """Whether its last attempt left its working directory as it was."""
        self.pid, self.fd = started
        self._line = _socket.socket(fileno=self.fd)

    def begin(self, folder: str) -> None:
        """Have its next attempts, those of one run, in this folder, in which nothing is yet."""
        self.folder, self.clean = folder, False

    def give(self, assignment: Assignment) -> None:
        """Start an attempt."""
        self.index, self.attempt = assignment.index, assignment.attempt
        self.clean = False
        try:
            self._line.sendall(assignment.encode())
        except OSError:
            # It has ended already; its exit status says how.
            return

    def answer(self) -> int | None:
        """How its attempt ended, as in `exit_status`; None where the runner itself is ending."""
        try:
            said = self._line.recv(_ANSWER)
        except OSError:
            return None
        status, _, clean = said.partition(b" ")
        self.clean = bool(clean.strip())
        return int(status) if status else None

    def end(self) -> None:
        """Ask it, once, to end its command and commit."""
        if not self.asked_to_end:
            self.asked_to_end = True
            try:
                os.kill(self.pid, signal.SIGTERM)
            except ProcessLookupError:
                return

    def close(self) -> None:
        """Let go of it: it ends if it has not."""
        self._line.close()
