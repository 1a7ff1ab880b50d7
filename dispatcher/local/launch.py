"""`python -m dispatcher.local.launch ROOT PROTECTED RUN LAYOUT STORE CACHE STATE`

A first runner, and a supervisor beside it: either takes some time to load what it needs, and
neither needs the other for that. ROOT is that of the environment of the run's first index, and
PROTECTED are folders that nothing may write to that is started here, ":"-separated; both are empty
where the run's images are not ready.
"""

from __future__ import annotations

import _socket
import os
import sys

from packer.image_paths import PREFIX, RUNNER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def launch(root: str, variables: Mapping[str, str]) -> tuple[int, int]:
    """Start a runner: its process id, and the descriptor of the line to it."""
    python = f"{root}{PREFIX}/bin/python"
    # `socket` itself, with all that it loads, comes while the runner is starting.
    ours, theirs = _socket.socketpair()
    process = os.posix_spawn(
        python,
        [python, "-I", "-S", f"{root}{RUNNER}"],
        variables,
        file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
        setpgroup=0,
    )
    theirs.close()
    return process, ours.detach()


def main(root: str, protected: str, *arguments: str) -> None:
    """Look after a run."""
    first = None
    if root:
        from dispatcher.local.protection import protect

        protect(protected.split(":"))
        first = launch(root, os.environ)
    from dispatcher.local import supervisor

    supervisor.main(*arguments, first=first)


if __name__ == "__main__":
    main(*sys.argv[1:])
