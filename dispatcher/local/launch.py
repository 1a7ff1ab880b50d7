"""A run's first runner, and a supervisor beside it: a process of its own.

Either takes some time to load what it needs, and neither needs the other for that.
"""

from __future__ import annotations

# The class alone: the module around it takes a while to load, and a run waits for it.
import _socket
import os

from dispatcher.local.post import Post
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


def main() -> None:
    """Look after the runs that are handed over on standard input, a socket."""
    line = _socket.socket(fileno=0)
    post, lock = Post.take(line)
    runner = None
    if post.root:
        from dispatcher.local.protection import protect

        protect(post.protected)
        started = launch(post.root)
        from dispatcher.local.runner_process import RunnerProcess

        runner = RunnerProcess(post.root, started)
    from dispatcher.local.service import Service

    Service(line, runner).serve(post, lock)
