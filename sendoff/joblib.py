"""A backend for joblib: `Parallel` sends its tasks off.

    import joblib
    import sendoff.joblib

    sendoff.joblib.register()
    with joblib.parallel_config("sendoff", gpu="h100", timeout="1h"):
        results = joblib.Parallel()(joblib.delayed(train)(lr) for lr in rates)

Tasks that joblib hands over together are one run, with an index for each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
from joblib.parallel import ParallelBackendBase

from sendoff.functions.arguments import Bound
from sendoff.functions.errors import FunctionRefused
from sendoff.functions.function import Function
from sendoff.functions.returned import value
from sendoff.functions.shipment import Options, ship
from sendoff.functions.spelling import name_of

if TYPE_CHECKING:
    from sendoff.handle import Run

_TOGETHER = 0.05
"""Seconds without a further task after which those that came are sent off."""
_MANY = 1000
"""Workers for `n_jobs=-1`: the target decides how many run at once."""


def register() -> None:
    """Make the backend known to joblib as "sendoff"."""
    joblib.register_parallel_backend("sendoff", SendoffBackend)


class _Task(NamedTuple):
    call: Bound
    alone: bool
    """Whether its value is that of the only call of a batch."""
    future: Future[list[Any]]


class SendoffBackend(ParallelBackendBase):  # type: ignore[misc]
    """Runs batches of tasks as indexes of runs."""

    default_n_jobs = -1
    supports_retrieve_callback = True
    supports_inner_max_num_threads = False

    def __init__(self, nesting_level: int | None = None, **wishes: Any) -> None:
        """`wishes` as for `sendoff.ship`.

        Raises:
            Misuse: there is no such wish.
        """
        wishes.pop("inner_max_num_threads", None)
        super().__init__(nesting_level=nesting_level)
        self._options = Options().changed(wishes)
        self._lock = threading.Lock()
        self._pending: list[_Task] = []
        self._timer: threading.Timer | None = None
        self._runs: list[Run] = []
        self._aborts = 0

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        """Called by joblib before it hands tasks over."""
        self.parallel = parallel
        if parallel is not None:
            # Else there would be a run for every few tasks.
            parallel.pre_dispatch = "all"
        self._most = max(0, n_jobs)
        return self.effective_n_jobs(n_jobs)

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """How many tasks may run at once, as far as joblib is concerned: two at least."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 has no meaning")
        # With one, joblib would run them all in this process.
        return max(2, n_jobs) if n_jobs and n_jobs > 0 else _MANY

    def submit(
        self, func: Any, callback: Callable[[Future[list[Any]]], None] | None = None
    ) -> Future[list[Any]]:
        """Take a batch; it is sent off with those that come at the same time.

        Raises:
            FunctionRefused: a function of it asks for what the backend was not told.
        """
        for function, _, _ in getattr(func, "items", ()):
            if isinstance(function, Function):
                _refuse(function, self._options)
        future: Future[list[Any]] = Future()
        if callback:
            future.add_done_callback(callback)
        task = _task(func, future)
        with self._lock:
            self._pending.append(task)
            if self._timer:
                self._timer.cancel()
            self._timer = threading.Timer(_TOGETHER, self._send)
            self._timer.daemon = True
            self._timer.start()
        return future

    def retrieve_result_callback(self, out: Future[list[Any]]) -> list[Any]:
        """The results of a batch."""
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:  # noqa: ARG002
        """One has failed: end the others."""
        with self._lock:
            self._aborts += 1
            self._pending.clear()
            runs, self._runs = self._runs, []
        for run in runs:
            if not run.status.final:
                run.cancel()

    def terminate(self) -> None:
        """Nothing is kept between calls."""
        self._runs = []

    def _send(self) -> None:
        with self._lock:
            tasks, self._pending = self._pending, []
            aborts = self._aborts
        if not tasks:
            return
        options = self._options
        if self._most and "max_parallel" not in options.wishes:
            options = options.changed({"max_parallel": self._most})
        try:
            run = ship([task.call for task in tasks], options)
            with self._lock:
                wanted = aborts == self._aborts
                if wanted:
                    self._runs.append(run)
            # Nobody could end it while it was being packed.
            if not wanted:
                run.cancel()
            for index in run.as_ended():
                self._settle(tasks[index.number], index)
        except BaseException as error:  # noqa: BLE001 (joblib raises it where it waits)
            for task in tasks:
                if not task.future.done():
                    task.future.set_exception(error)

    @staticmethod
    def _settle(task: _Task, index: Any) -> None:
        try:
            found = value(index)
        except Exception as error:  # noqa: BLE001 (joblib raises it where it waits)
            task.future.set_exception(error)
        else:
            task.future.set_result([found] if task.alone else found)


def _refuse(function: Function[..., Any], options: Options) -> None:
    """A run has one GPU, one time: what only one of its tasks asks for would not count."""
    beyond = function.asked.beyond(options)
    if beyond:
        name, words = name_of(function), ", ".join(f"{key}={beyond[key]!r}" for key in beyond)
        raise FunctionRefused(
            name,
            f"it is decorated with {words}, and the backend of joblib was told nothing of that",
            f'joblib.parallel_config("sendoff", {words}), or a task of {name}.__wrapped__',
        )


def _task(batch: Any, future: Future[list[Any]]) -> _Task:
    items: list[Any] = getattr(batch, "items", [])
    if len(items) == 1:
        ((function, placed, named),) = items
        if isinstance(function, Function):
            function = function.__wrapped__
        call = Bound(function=function, placed=tuple(placed), named=dict(named))
        return _Task(call, alone=True, future=future)
    return _Task(Bound(function=batch, placed=()), alone=False, future=future)
