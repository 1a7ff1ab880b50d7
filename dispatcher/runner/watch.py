"""The time while the command runs: one loop over its output, its end, signals and clocks."""

from __future__ import annotations

import os
import select
import signal
import time

from . import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .command import Command
    from .log import Log

_READ = 1 << 16
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Between looks at a process group that is ending.
_TICK = 0.02
# How long pipes may stay open once every process of the command was killed.
_DRAIN = 2.0


class Signals:
    """Signals as bytes on a pipe, so that one `poll` waits for everything."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        """Every signal that has been read."""
        self.fd, write = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (*_PASSED_ON, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def read(self) -> list[int]:
        """The signals that came since the last call."""
        try:
            found = list(os.read(self.fd, 1024))
        except BlockingIOError:
            return []
        self.seen.update(found)
        return found


class Watch:
    """Watches one command to its end, and ends it when time is up or somebody asks.

    `stopped` says why it was ended: "timeout", "idle", "signal", "orphaned" (whoever started the
    runner is gone), or "" where it ended by itself.
    """

    def __init__(self, command: Command, log: Log, signals: Signals, grace: float) -> None:
        self._command, self._log, self._signals, self._grace = command, log, signals, grace
        self._began = time.monotonic()
        self._kill_at = float("inf")
        self._streams = {command.out: "out", command.err: "err"}
        self._poll = select.poll()
        for descriptor in (command.out, command.err, signals.fd):
            self._poll.register(descriptor, select.POLLIN)
        self.stopped = ""
        self.killed = False
        self.status: int | None = None
        """The wait status of the command, once it has ended."""
        self.wall = 0.0
        self._spared: Callable[[], frozenset[int]] = frozenset

    def hold(self, lifeline: int) -> None:
        """Take the end of this pipe for the end of whoever wants the run."""
        self._lifeline = lifeline
        self._poll.register(lifeline, select.POLLIN)

    _lifeline = -1

    def spare(self, processes: Callable[[], frozenset[int]]) -> None:
        """Leave those processes alone that `processes` names, and what they start for others."""
        self._spared = processes

    def processes(self) -> dict[int, int]:
        """The living processes of the command, about: process id → resident bytes."""
        return kernel.family(os.getpid(), self._spared())

    def run(self, timeout: float, sample: Callable[[], float]) -> None:
        """Return when the command has ended and none of its processes is left.

        `sample` is called now and then and says in how many seconds to call it again. `timeout` is
        in seconds; 0 for none.
        """
        ends = self._began + timeout if timeout else float("inf")
        samples = self._began + 0.02
        while not self._over():
            now = time.monotonic()
            if now >= samples:
                samples = now + sample()
            if now >= ends:
                ends = float("inf")
                self.stop("timeout", signal.SIGTERM)
            if now >= self._kill_at:
                self._kill_at = float("inf")
                self.killed = True
                self._kill_all()
            self._wait(min(samples, ends, self._kill_at) - now)
        self._kill_all()
        self._drain()

    def stop(self, why: str, number: int) -> None:
        """Ask the command to end: the signal now, SIGKILL after the grace."""
        self._command.signal(number)
        if not self.stopped:
            self.stopped = why
            self._kill_at = time.monotonic() + self._grace

    @property
    def seconds(self) -> float:
        """Since the command's start."""
        return time.monotonic() - self._began

    def _over(self) -> bool:
        if self.status is None:
            return False
        # One that was asked to end may leave children that are saving their work.
        return not self.stopped or self.killed or not self._command.signal(0)

    def _wait(self, seconds: float) -> None:
        if self.status is not None:
            seconds = min(seconds, _TICK)
        for descriptor, _ in self._poll.poll(max(0.0, seconds) * 1000):
            if descriptor == self._signals.fd:
                self._heed(self._signals.read())
            elif descriptor == self._lifeline:
                if not os.read(descriptor, 1):
                    self._poll.unregister(descriptor)
                    self.stop("orphaned", signal.SIGTERM)
            else:
                self._read(descriptor)
        if self.status is not None:
            self._reap()

    def _heed(self, numbers: list[int]) -> None:
        for number in numbers:
            if number == signal.SIGCHLD:
                self._reap()
            else:
                self.stop("signal", number)

    def _reap(self) -> None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not process:
                return
            if process == self._command.pid:
                self.status = status
                self.wall = self.seconds

    def _read(self, descriptor: int) -> None:
        data = os.read(descriptor, _READ)
        self._log.write(self._streams[descriptor], data, self.seconds, last=not data)
        if not data:
            self._poll.unregister(descriptor)
            del self._streams[descriptor]
            os.close(descriptor)

    def _kill_all(self) -> None:
        deadline = time.monotonic() + _DRAIN
        while time.monotonic() < deadline and not self._nobody_left():
            grouped = self._command.signal(signal.SIGKILL)
            # What is being killed may still be forking: look until nobody is left.
            found = kernel.descendants(os.getpid(), self._spared())
            for process in found:
                _kill(process)
            self._reap()
            if not found and (not grouped or self.status is not None):
                return
            time.sleep(_TICK / 10)

    def _nobody_left(self) -> bool:
        """Whether that shows without a look at every process of the machine."""
        return self.status is not None and kernel.no_children_but(self._spared())

    def _drain(self) -> None:
        deadline = time.monotonic() + _DRAIN
        while self._streams and time.monotonic() < deadline:
            for descriptor, _ in self._poll.poll(_TICK * 1000):
                if descriptor in self._streams:
                    self._read(descriptor)
                elif descriptor == self._signals.fd:
                    self._signals.read()
                else:
                    self._poll.unregister(descriptor)


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return
