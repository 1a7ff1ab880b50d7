"""One runner, started for one attempt."""

from __future__ import annotations

import os
import signal

from packer.image_paths import PREFIX, RUNNER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatcher.runner.assignment import Assignment


class RunnerProcess:
    """A started runner. It ends its command when this process closes the pipe, or dies."""

    def __init__(self, assignment: Assignment, environment: str, variables: dict[str, str]) -> None:
        self.index, self.attempt = assignment.index, assignment.attempt
        self.asked_to_end = False
        python = f"{environment}{PREFIX}/bin/python"
        read, self._lifeline = os.pipe()
        self.pid = os.posix_spawn(
            python,
            [python, "-I", "-S", f"{environment}{RUNNER}"],
            variables,
            file_actions=[(os.POSIX_SPAWN_DUP2, read, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
            setpgroup=0,
        )
        os.close(read)
        try:
            os.write(self._lifeline, assignment.encode())
        except BrokenPipeError:
            # It has ended already; its exit status says how.
            return

    def end(self) -> None:
        """Ask it, once, to end its command and commit."""
        if not self.asked_to_end:
            self.asked_to_end = True
            try:
                os.kill(self.pid, signal.SIGTERM)
            except ProcessLookupError:
                return

    def close(self) -> None:
        """Let go of it after it has ended."""
        os.close(self._lifeline)
