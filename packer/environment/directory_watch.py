"""What the kernel has seen in an environment's directories, told without looking at its files.

A look at each file of a large environment takes tens of milliseconds, every time. A process that
lives from command to command can be told of changes instead (inotify(7)). One such process holds
`Watches`; its forks, which are the commands, have them too: they ask whether anything happened,
and put new directories under watch when their own work is done. A program that sends off one thing
after another holds them for itself.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from packer import inotify, record
from packer.environment import sweep_worker
from packer.record import Record

MOST = 4
"""Environments under watch at once."""

_LONGEST = 4096
"""Bytes that a pipe takes whole (pipe(7), PIPE_BUF)."""


class _Watch(Record, frozen=True):
    marks: str
    """The file of marks (see `sweep_worker`) that was true after the watch began."""
    instance: int
    apart: tuple[str, ...]
    """Those paths of them that lie in no watched directory, among them the topmost directories:
    these are looked at each time, and what happens above them is seen in that."""
    facts: tuple[int, ...]
    """Of `apart`, see `sweep_worker.look`."""

    def is_quiet(self) -> bool:
        return inotify.is_quiet(self.instance) and _look(self.apart) == self.facts


class Watches:
    """The environments under watch, and the next inotify instance, which watches nothing yet."""

    def __init__(self) -> None:
        self._held: list[_Watch] = []
        self._spare = -1
        self._news = (-1, -1)
        self._wanted = ""
        self._use = threading.Lock()

    def open(self) -> int:
        """Begin to hold watches; the descriptor that can be read when a fork has made one.

        Raises:
            OSError: the kernel has none to give.
        """
        self._spare = inotify.instance()
        self._news = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        return self._news[0]

    def quiet(self, marks: str) -> bool:
        """Whether all is known to be as `marks` say. False: it has to be looked at."""
        # Nobody waits for it: the lock may have been another thread's when this process was forked.
        if not self._use.acquire(blocking=False):
            return False
        try:
            return any(each.marks == marks and each.is_quiet() for each in self._held)
        finally:
            self._use.release()

    def want(self, marks: str) -> None:
        """Remember what was looked at: it is to be watched from the command's end on."""
        self._wanted = marks

    def offer(self) -> None:
        """In a fork, when its work is done: have the next commands know of what was wanted."""
        if self._spare < 0 or not self._wanted:
            return
        try:
            watch = _watch(self._spare, self._wanted)
            message = record.encode(watch) + b"\n" if watch else b""
            if 0 < len(message) <= _LONGEST:
                os.write(self._news[1], message)
        except (OSError, ValueError):  # the second: a path that is not UTF-8
            # It stays as it was: each command looks for itself.
            return

    def take(self) -> bool:
        """In the process that holds them: what its forks have put under watch since, if any."""
        before = self._held
        for line in os.read(self._news[0], 16 * _LONGEST).splitlines():
            new = record.decode(line, _Watch)
            # Two forks may have used the same instance: it tells of both, and is the first's.
            if new.instance == self._spare:
                self._spare = inotify.instance()
                self._hold(new)
        return self._held is not before

    def keep(self) -> None:
        """Where this process itself looks again: have it told of what was wanted from now on."""
        if not self._wanted or not self._use.acquire(blocking=False):
            return
        try:
            with suppress(OSError):
                if self._spare < 0:
                    self.open()
                self.offer()
                self.take()
            self._wanted = ""
        finally:
            self._use.release()

    def _hold(self, new: _Watch) -> None:
        kept = [each for each in self._held if each.marks != new.marks][1 - MOST :]
        for each in self._held:
            if each not in kept:
                os.close(each.instance)
        self._held = [*kept, new]


WATCHES = Watches()
"""Those of this process: none, unless it or the one that it was forked from has opened them."""


def _watch(instance: int, marks: str) -> _Watch | None:
    """Put all that `marks` name under watch; None where that can't be, or they are not true.

    Raises:
        OSError, ValueError: it can't be.
    """
    paths = sweep_worker.paths(marks)
    directories = _directories(set(paths))
    if not inotify.watch(instance, directories):
        return None
    apart = tuple(os.fsdecode(path) for path in paths if _folder(path) not in directories)
    facts = _look(apart)
    if not sweep_worker.unchanged(marks, 0, len(paths)):
        return None
    return _Watch(marks=marks, instance=instance, apart=apart, facts=facts)


def _directories(marked: set[bytes]) -> set[bytes]:
    """The directories among them: those that something marked lies in, and those without."""
    filled = {_folder(path) for path in marked} & marked
    empty = set()
    for directory in filled:
        with os.scandir(directory) as entries:
            empty |= {entry.path for entry in entries if entry.is_dir(follow_symlinks=False)}
    return filled | (empty & marked)


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _look(paths: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(sweep_worker.look([os.fsencode(path) for path in paths]))
