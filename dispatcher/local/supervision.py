"""Starts supervisors, and keeps one for the next run where more are to come."""

from __future__ import annotations

import atexit
import os
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from dispatcher.local.post import FREE, Post
from dispatcher.runner.keys import RunKeys
from packer import process

_ENDING = 0.05
"""Seconds that one may take from the end of its run until it is free, rather than a new start."""
_MOUNTS = Path("/proc/self/mountinfo")


class Supervision:
    """The supervisors that this process starts."""

    def __init__(self) -> None:
        self.lasting = False
        """Whether one is kept."""
        # Taken out while it is used, so that no two threads use the same.
        self._kept: list[_Kept] = []

    def expect_more(self) -> None:
        """Keep one from now on, for as long as this process lives; it ends by itself when idle."""
        if not self.lasting:
            self.lasting = True
            atexit.register(self.close)

    def start(self, post: Post, lock: int, log: Path) -> None:
        """Have a run looked after by a process that takes its lock over.

        Raises:
            ProgramFailed: it could not be started.
        """
        kept = self._free(post.protected)
        if kept is None or not kept.hand_over(post, lock, log):
            kept = _Kept.started(post, lock, log)
        if post.lasting:
            self._kept.append(kept)
        else:
            kept.close()

    def close(self) -> None:
        """Let go of what is kept."""
        while self._kept:
            self._kept.pop().close()

    def _free(self, protected: tuple[str, ...]) -> _Kept | None:
        try:
            kept = self._kept.pop()
        except IndexError:
            return None
        if kept.is_free(protected):
            return kept
        kept.close()
        return None


class _Kept:
    """A supervisor, which ends when its work is done and this is closed."""

    def __init__(self, line: socket.socket, protected: tuple[str, ...], log: Path) -> None:
        self._line, self._log = line, log
        self._owner = os.getpid()
        self._protected = protected, _surroundings(protected)
        self._manifest = Path()
        """Where its run's first index is known to have ended."""

    @classmethod
    def started(cls, post: Post, lock: int, log: Path) -> _Kept:
        ours, theirs = socket.socketpair()
        with ExitStack() as failing, theirs:
            failing.callback(ours.close)
            process.detach_main(
                "dispatcher.local.supervisor_process",
                log=log,
                stdin=theirs.fileno(),
                # Byte code is kept apart: many sandboxes keep Python from writing it.
                options=("-S", "-P", "-X", f"pycache_prefix={post.cache}/bytecode"),
                env={"PYTHONDONTWRITEBYTECODE": ""},
            )
            failing.pop_all()
        kept = cls(ours, post.protected, log)
        # Where it has ended already, its log says why to whoever looks at the run.
        with suppress(OSError):
            kept._send(post, lock)
        return kept

    def is_free(self, protected: tuple[str, ...]) -> bool:
        """Whether it has nothing to do, is this process's, and guards these folders."""
        if self._owner != os.getpid():
            return False
        if self._protected != (protected, _surroundings(protected)):
            return False
        self._line.settimeout(_ENDING if self._manifest.exists() else 0)
        try:
            return self._line.recv(len(FREE)) == FREE
        except OSError:
            return False
        finally:
            self._line.settimeout(None)

    def hand_over(self, post: Post, lock: int, log: Path) -> bool:
        """Give it another run; False where it takes none."""
        try:
            # It goes on writing to the same file, and so does its runner.
            os.truncate(self._log, 0)
            os.link(self._log, log)
        except OSError:
            self.close()
            return False
        try:
            self._send(post, lock)
        except OSError:
            self.close()
            log.unlink()
            return False
        self._log = log
        return True

    def _send(self, post: Post, lock: int) -> None:
        self._manifest = Path(post.store, RunKeys(post.run).manifest(0))
        post.send(self._line, lock)

    def close(self) -> None:
        self._line.close()


def _surroundings(folders: tuple[str, ...]) -> tuple[list[tuple[int, int]], bytes]:
    """What one that starts now finds: which folders these are, and what is mounted where.

    A folder may have been removed and another be in its place. What is mounted later can stay
    unseen in the mount namespace that a supervisor has made for itself.
    """
    found = [os.stat(folder) for folder in folders if os.path.isdir(folder)]
    mounts = _MOUNTS.read_bytes() if _MOUNTS.exists() else b""
    return [(each.st_dev, each.st_ino) for each in found], mounts


SUPERVISION = Supervision()
"""Those of this process."""
