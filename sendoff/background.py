"""Orders whose images are packed by a process of their own, which outlives whoever gave them.

The process holds the order's lock for as long as it lives, so that anybody here can tell whether
it still does. What it can't pack is refused under the order's id.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from dispatcher import diagnosis, dispatch, orders, refusal
from dispatcher.run import Run as RunRecord
from dispatcher.runner.address import is_s3
from dispatcher.store import Runs
from packer import process
from packer.errors import SendoffError
from packer.record import Record, decode, encode
from sendoff import unforeseen
from sendoff.admission import Admission
from sendoff.preparation import Order, answered, ordered, prepare, send
from sendoff.quantities import show_size
from sendoff.session import Session

ADMISSION = 1.0
"""Seconds for which the target is asked before the id is given; after that, it refuses later."""
ANSWER = 0.7
"""Seconds for which an order waits to be told that an earlier run answers for it."""
_PERIOD, _FAR_PERIOD = 0.2, 2.0
"""Seconds between looks at, and words to, a store here and one far away."""
_OFTEN = 10
"""Times as often does look who waits for an answer."""


class Instructions(Record, frozen=True):
    """What the process that packs is told."""

    project: str
    wishes: dict[str, Any]
    order: Order


def begin(project: Path, order: Order, wishes: Mapping[str, Any]) -> RunRecord:
    """Give an order its id, have its images packed and the run sent off, and return at once.

    Where its idempotency key is known, what was begun with it before is returned.

    Raises:
        SendoffError: what is known to be wrong with it already; nothing was begun.
    """
    session = Session.open(project, wishes)
    record = ordered(session, order)
    Admission(session, record.request).wait(ADMISSION)
    with orders.held(record.id, session.places) as lock:
        placed = None
        folder = session.places.packing(record.id)
        try:
            placed = dispatch.order(record, session.places)
        finally:
            if placed is None or placed.id != record.id:
                shutil.rmtree(folder)
        if placed.id == record.id:
            told = Instructions(
                project=str(session.project),
                wishes=dict(wishes),
                order=replace(order, id=record.id),
            )
            _start(folder, told, lock)
    return placed


def answering(record: RunRecord, session: Session) -> RunRecord:
    """The run that answers for an order, if that is known within `ANSWER` seconds; else its own."""
    runs, period = session.runs(), _FAR_PERIOD if is_s3(session.settings.store) else _PERIOD
    deadline = time.monotonic() + ANSWER
    found = record
    while not orders.packed(found) and refusal.read(record.id, runs) is None:
        if time.monotonic() >= deadline:
            break
        time.sleep(period / _OFTEN)
        found = runs.known(record.id)
    return found


def _start(folder: Path, told: Instructions, lock: int) -> None:
    path = folder / "instructions.json"
    # It may hold values of environment variables.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:  # noqa: PTH123
        stream.write(encode(told))
    process.detach_main("sendoff.background", str(folder), log=folder / "log", stdin=lock)


def main(folder: str) -> None:
    """Pack for the order in `folder`, whose lock is standard input, and send its run off."""
    # Programs that are started for packing are not to hold the lock.
    lock = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    path = Path(folder, "instructions.json")
    told = decode(path.read_bytes(), Instructions)
    path.unlink()
    session = Session.open(Path(told.project), told.wishes)
    work = Work(told.order.id, session)
    try:
        work.do(told.order)
    except SendoffError as error:
        work.refuse(error)
    except Exception as error:
        work.refuse(unforeseen.told(error))
        raise
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
    from sendoff.reproduction import late_attaching

    late_attaching.of_newest(session)


class Work:
    """Packing for one order. A `packer.progress.Progress`, told to the store.

    A thread looks for the order's cancellation meanwhile, and ends the process and all it started.
    """

    def __init__(self, run_id: str, session: Session) -> None:
        self._id, self._session = run_id, session
        self._runs: Runs = session.runs()
        self._period = _FAR_PERIOD if is_s3(session.settings.store) else _PERIOD
        self._step, self._total, self._amount = "", 0, 0
        self._told = 0.0
        self._ending = threading.Lock()

    def do(self, order: Order) -> None:
        """Pack and send off.

        Raises:
            SendoffError: what `prepare` and `send` raise.
        """
        threading.Thread(target=self._heed_cancellation, daemon=True).start()
        _, record = prepare(self._session, order, self)
        with self._ending:
            earlier = None if self._runs.is_cancelled(self._id) else answered(record, self._session)
            if earlier:
                orders.answer(self._id, earlier.id, self._runs)
            else:
                # Which ends it, where it is cancelled.
                send(record, self._session)

    def refuse(self, error: SendoffError) -> None:
        """Say under the order's id why it becomes no run."""
        with self._ending:
            refusal.write(self._id, self._runs, "failed", diagnosis.of_error(error))

    def start(self, what: str, total: int = 0) -> None:
        """A step begins."""
        self._step, self._total, self._amount = what, total, 0
        self._tell()

    def advance(self, amount: int) -> None:
        """More bytes of it are done."""
        self._amount += amount
        self._tell()

    def done(self, note: str = "") -> None:
        """It ended."""

    def _tell(self) -> None:
        if time.monotonic() < self._told + self._period:
            return
        self._told = time.monotonic()
        amount = f", {show_size(self._amount)}" if self._amount else ""
        total = f" of {show_size(self._total)}" if self._total and amount else ""
        orders.tell(self._id, self._runs, f"{self._step}{amount}{total}")

    def _heed_cancellation(self) -> None:
        while not self._is_cancelled():
            time.sleep(self._period)
        with self._ending:
            # It ends even where no word of that can be left.
            with suppress(SendoffError, OSError):
                refusal.write(self._id, self._runs, "cancelled", None)
            # The session is this process's own, and all in it packs for this order.
            os.killpg(0, 9)

    def _is_cancelled(self) -> bool:
        # A store that fails now is asked again.
        with suppress(SendoffError, OSError):
            return self._runs.is_cancelled(self._id)
        return False
