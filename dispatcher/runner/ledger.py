"""What is kept of one attempt beside its files: that it started, its log, what became of it."""

from __future__ import annotations

import json
import time

from .exit_status import COMMITTED, INTERRUPTED, LOST, NOT_STORED
from .keys import RunKeys
from .log import AppendedChunks, Log
from .store import Exists
from .store_faults import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .assignment import Assignment
    from .store import DirectoryStore, Store


class Ledger:
    """The records of one attempt in a store that answers at once."""

    tries = 5
    """How often the manifest is written if the store does not take it."""
    kept = True
    """Whether the command's files stay where they are if they can't be stored."""

    def __init__(self, store: DirectoryStore, assignment: Assignment) -> None:
        self._store = store
        self.keys = RunKeys(assignment.run)
        self.index, self.attempt = assignment.index, assignment.attempt
        self.problem = ""
        """Why the manifest was not taken."""
        chunks = AppendedChunks(store, lambda chunk: self.keys.log(self.index, self.attempt, chunk))
        self.log = Log(chunks, assignment.log_limit)

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self._store

    def announce(self, record: dict[str, Any]) -> None:
        """Say that the attempt starts.

        Raises:
            Exists: there is an attempt of this number.
        """
        try:
            self.store.put_new(self.keys.started(self.index, self.attempt), encode(record))
        except OSError:
            # The manifest is what counts; the end will show whether the store has come back.
            self.log.problem = "the store took no record of the attempt's start"

    def ended(self, *, pressed: bool = False) -> None:
        """The command has ended: from here on what is kept is final.

        `pressed`: because somebody outside wants the end, and waits for it.
        """

    def close_log(self) -> None:
        """See to it that the whole log is stored; `log.problem` says where it is not."""

    def lost(self) -> bool:
        """Whether another attempt is known to have committed; the commit shows it in any case."""
        return False

    def cancelled(self) -> bool:
        """Whether somebody asked for the end of this index, or of the run."""
        wanted = (self.keys.cancel, self.keys.cancel_index(self.index))
        return any(self.store.has(key) for key in wanted)

    def commit(self, manifest: dict[str, Any]) -> int:
        """Write the manifest: COMMITTED, LOST or NOT_STORED."""
        key, data = self.keys.manifest(self.index), encode(manifest)
        for attempt in range(self.tries):
            try:
                self.store.put_new(key, data)
            except Exists:
                return LOST
            except OSError as error:
                self.problem = told(error)
                time.sleep(0.1 * 2**attempt)
            else:
                return COMMITTED
        return NOT_STORED

    def leave(self, manifest: dict[str, Any]) -> int:
        """Keep what an interrupted attempt came to, for whoever decides what becomes of it."""
        try:
            self.store.put(self.keys.interrupted(self.index, self.attempt), encode(manifest))
        except OSError as error:
            self.problem = told(error)
            return NOT_STORED
        return INTERRUPTED


def encode(record: dict[str, Any]) -> bytes:
    """Canonical JSON."""
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
