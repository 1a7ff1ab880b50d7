"""The process that looks after runs; the first runner is started before anything else is loaded.

Either takes some time to load what it needs, and neither needs the other for that.
"""

from __future__ import annotations

import _socket

from dispatcher.local.launch import launch
from dispatcher.local.post import Post


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
