"""Starting a runner, with as little loaded for it as can be: a run waits for it."""

from __future__ import annotations

# The class alone: the module around it takes a while to load.
import _socket
import os

from packer.image_paths import PREFIX, RUNNER


def launch(root: str) -> tuple[int, int]:
    """Start a runner: its process id, and the descriptor of the line to it.

    It takes its variables from what it is given to do.
    """
    python = f"{root}{PREFIX}/bin/python"
    ours, theirs = _socket.socketpair()
    process = os.posix_spawn(
        python,
        # The file, not its folder: that would be searched as an archive first.
        [python, "-I", "-S", f"{root}{RUNNER}/__main__.py"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
        setpgroup=0,
    )
    theirs.close()
    return process, ours.detach()
