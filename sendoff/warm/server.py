"""The warm process: imports everything once, then forks for each command.

It does nothing by itself, so that what is inherited is modules and nothing else: no thread, no
connection, no cache. It ends when nobody has asked for a while, and when a file of what it has
loaded was changed.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dispatcher import runner_tree
from packer.environment.directory_watch import WATCHES
from packer.project.ignore import Rules
from packer.record import Record, decodable
from sendoff.warm import circumstances, worker
from sendoff.warm.line import Line
from sendoff.warm.loaded import Loaded
from sendoff.warm.standby import READY, STALE, TAKEN, Standby
from sendoff.warm.written_pages import WrittenPages

MINUTES = 10.0
"""Without a command, after which it ends."""
_TICK = 5_000
"""Milliseconds after which it looks whether its socket is still there."""
_BACKLOG = 16
_RECENT = 2_000_000_000
"""Nanoseconds: a file changed so shortly before it was read may have been read half-way."""

_PACKAGES = ("packer", "dispatcher", "sendoff")
# Programs of their own, what only a figure needs, and what other programs load: it starts threads.
_NOT = (
    "__main__",
    "_worker",
    "layer_installer",
    "plot_figure",
    "runner.site",
    "warm.server",
    "sendoff.joblib",
    "sendoff.hydra_launcher",
    "mcp.server",
    "mcp.http",
)
_BESIDES = (
    "urllib3", "tenacity", "http.client", "yaml", "tomllib", "gzip", "zipfile", "subprocess",
    "concurrent.futures.thread", "minio.credentials.providers", "click.shell_completion",
    "encodings.ascii", "encodings.idna",
)  # fmt: skip


def serve(path: str, minutes: str = "") -> None:
    """Be the warm process with this socket until nobody needs one any more."""
    os.closerange(3, 256)
    facts = circumstances.told()
    if facts is None or circumstances.place(facts) != path:
        # Whoever started this one was in other circumstances than it gave on.
        return
    lock = _lock(path)
    if lock < 0:
        return
    _clear(Path(path).parent)
    Path(path).unlink(missing_ok=True)
    loaded = _load()
    if loaded is None:
        return
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(_BACKLOG)
    # The standby accepts from it as well, and may be the first.
    listener.setblocking(False)
    try:
        _Server(listener, lock, facts, loaded).run(_seconds(minutes))
    finally:
        Path(path).unlink(missing_ok=True)


def _seconds(minutes: str) -> float:
    try:
        return float(minutes) * 60
    except ValueError:
        return MINUTES * 60


class _Server:
    """Takes commands as they come."""

    def __init__(self, listener: socket.socket, lock: int, facts: bytes, loaded: Loaded) -> None:
        self._listener, self._lock, self._facts = listener, lock, facts
        self._loaded, self._pages = loaded, WrittenPages()
        self._waiting = select.poll()
        self._standby: Standby | None = None

    def run(self, idle: float) -> None:
        """Until nothing has come for so many seconds, or what was loaded is not what is there."""
        os.chdir("/")
        # Nobody asks for the status of a command here: it tells whoever gave it.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        news = -1
        with suppress(OSError):
            news = WATCHES.open()
            self._waiting.register(news, select.POLLIN)
        self._waiting.register(self._listener, select.POLLIN)
        self._standby = self._next_standby()
        last = time.monotonic()
        while os.path.exists(self._listener.getsockname()):
            left = last + idle - time.monotonic()
            ready = self._waiting.poll(min(_TICK, max(0.0, left * 1000)))
            descriptors = [descriptor for descriptor, _ in ready]
            for descriptor in descriptors:
                if descriptor != news:
                    if not self._serve(descriptor):
                        return
                    last = time.monotonic()
            if news in descriptors and WATCHES.take():
                self._renew()
            if not ready and left <= 0:
                return

    def _serve(self, descriptor: int) -> bool:
        """See to a command that has come, or to what the standby says; False: end."""
        if not self._standby or descriptor != self._standby.descriptor:
            return self._take()
        said = self._standby.said()
        if said == READY:
            self._waiting.unregister(self._listener)
            return True
        self._forget(self._standby)
        # Where something has killed it, so it would the next one.
        self._standby = self._next_standby() if said == TAKEN else None
        return said != STALE

    def _renew(self) -> None:
        """Have a fork wait that knows what this process has learnt by now."""
        if self._standby:
            self._forget(self._standby)
            self._standby = self._next_standby()

    def _forget(self, standby: Standby) -> None:
        self._waiting.unregister(standby.descriptor)
        standby.close()
        # Commands that come while none is ready are forked for.
        self._waiting.register(self._listener, select.POLLIN)

    def _next_standby(self) -> Standby:
        """Have a fork wait for the next command."""

        def alone() -> None:
            os.close(self._lock)

        standby = Standby(self._listener, self._loaded, self._pages, self._facts, alone)
        self._waiting.register(standby.descriptor, select.POLLIN)
        return standby

    def _take(self) -> bool:
        """Let a fork be the next command; False where that would be of another time."""
        try:
            line = Line(self._listener.accept()[0])
        except BlockingIOError:
            return True
        try:
            if not line.is_own():
                return True
            if not self._loaded.unchanged():
                return False
            if not os.fork():
                self._listener.close()
                os.close(self._lock)
                worker.become(line, self._facts, self._pages)
            return True
        finally:
            line.close()


def _lock(path: str) -> int:
    """What says that this socket is ours, as long as this process lives; -1 if it is another's.

    The file has the process's id, and is as old as its start.
    """
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return -1
    os.truncate(descriptor, 0)
    os.write(descriptor, b"%d\n" % os.getpid())
    return descriptor


def _clear(folder: Path) -> None:
    """Remove what other warm processes that were killed have left."""
    for lock in folder.glob("warm-*.lock"):
        with suppress(OSError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.with_suffix("").unlink(missing_ok=True)
            lock.unlink()


def _load() -> Loaded | None:
    """Import what commands need; None where that has left more than modules."""
    began = time.time_ns()
    for name in (*_modules(), *_BESIDES):
        # What can't be loaded is not needed, or its command will say so.
        with suppress(ImportError):
            importlib.import_module(name)
    for kind in _records(Record):
        # What msgspec works out of a class before one is read; not all are ever read.
        with suppress(TypeError, NameError):
            decodable(kind)
    # The same for the patterns that the names of every project are compared with.
    Rules.base().verdict(b"name", is_directory=False)
    if threading.active_count() > 1:
        return None
    runner_tree.runner_tree()
    loaded = Loaded(map(str, runner_tree.sources().values()))
    if loaded.newest > began - _RECENT or not loaded.watch():
        return None
    gc.collect()
    # What is there now is looked at by no collection of a command, and stays shared with it.
    gc.freeze()
    return loaded


def _records(kind: type[Record]) -> Iterator[type[Record]]:
    for each in kind.__subclasses__():
        yield each
        yield from _records(each)


def _modules() -> Iterator[str]:
    for package in _PACKAGES:
        paths = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(paths, f"{package}."):
            if not any(part in found.name for part in _NOT):
                yield found.name
