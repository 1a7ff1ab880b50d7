"""The runs of one supervisor process, one after another.

A program that sends off one run after another has the next looked after by the process that is
there already, and done by the same runner. Both end with that program, or when nothing has come
for a while.
"""

from __future__ import annotations

import _socket
import os
import select
import signal
import time

from dispatcher.local.launch import launch
from dispatcher.local.leftovers import sweep
from dispatcher.local.plan import Plan
from dispatcher.local.post import FREE, Post
from dispatcher.local.runner_process import RunnerProcess
from dispatcher.local.supervisor import Supervisor
from dispatcher.runner.store import DirectoryStore
from dispatcher.runner.watch import Signals


class Service:
    """Takes runs from a line until nobody has one any more."""

    def __init__(self, line: _socket.socket, runner: RunnerProcess | None) -> None:
        """`runner` is for the first run, behind what is protected; None where it is not ready."""
        self._line, self._runner = line, runner
        self._signals = Signals()

    def serve(self, post: Post, lock: int) -> None:
        """Look after this run and those that follow."""
        asked: tuple[Post, int] | None = (post, lock)
        while asked:
            post, lock = asked
            self._look_after(post, lock)
            # Whoever looks knows by it that nobody looks after the run any more.
            os.close(lock)
            asked = self._next(post.lasting) if post.lasting else None
        self._dismiss()

    def _look_after(self, post: Post, lock: int) -> None:
        from dispatcher.local.failures import Failures

        began, unpacking = time.monotonic(), 0.0
        # Says that there has been a supervisor, and which.
        os.write(lock, b"%d\n" % os.getpid())
        os.environ.clear()
        os.environb.update(post.variables)
        failures = Failures(post.run, post.places)
        plan = Plan.read(f"{post.state}/runs/{post.run}/plan.json")
        if plan is None:
            plan = failures.prepare()
            unpacking = time.monotonic() - began
        if plan is None:
            return
        if not post.root:
            from dispatcher.local.protection import protect

            protect(plan.protected)
        supervisor = Supervisor(
            post.run,
            plan,
            f"{post.state}/work/{post.run}",
            failures,
            self._signals,
            since=began + unpacking,
            unpacking=unpacking,
        )
        if runner := self._ready(post.root):
            supervisor.employ(runner)
        self._runner = supervisor.work(lasting=post.lasting > 0)
        sweep(post.state, DirectoryStore(plan.settings["store"]))

    def _ready(self, root: str) -> RunnerProcess | None:
        """A runner in the environment at `root`; None where that is not there yet."""
        if self._runner and self._runner.environment == root:
            return self._runner
        self._dismiss()
        return RunnerProcess(root, launch(root)) if root else None

    def _next(self, seconds: float) -> tuple[Post, int] | None:
        """The next run and its lock; None where none comes."""
        if signal.SIGTERM in self._signals.seen:
            return None
        try:
            self._line.send(FREE)
            if not self._comes(seconds):
                # What is sent from now on fails there, and what was sent before is taken.
                self._line.shutdown(_socket.SHUT_RD)
                self._line.setblocking(False)
            return Post.take(self._line)
        except (EOFError, OSError, ValueError):
            return None

    def _comes(self, seconds: float) -> bool:
        """Wait so long until there is something to be read, or the other side has ended."""
        waiting = select.poll()
        waiting.register(self._line, select.POLLIN)
        waiting.register(self._signals.fd, select.POLLIN)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready = [descriptor for descriptor, _ in waiting.poll(left * 1000)]
            if self._line.fileno() in ready:
                return True
            if signal.SIGTERM in self._signals.read():
                return False
        return False

    def _dismiss(self) -> None:
        """Have the runner end that waits."""
        if self._runner:
            runner, self._runner = self._runner, None
            runner.close()
            try:
                os.waitpid(runner.pid, 0)
            except ChildProcessError:
                return
