"""Manifests of indexes whose runner wrote none, committed by whoever looks at their run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from dispatcher.run import Failure, Manifest, Phases, Run, State, unreported
from dispatcher.store import RunKeys, Runs

_FEW = 20
"""Indexes that are sooner asked for one by one than all are listed."""


class Settlement:
    """Commits for one run, in the place of runners that never could."""

    def __init__(self, run: Run, runs: Runs) -> None:
        self._run, self._runs = run, runs
        self._keys = RunKeys(run.id)
        self._begun: set[int] | None = None
        """Of which indexes the store has anything; None where each is asked for itself."""
        self._all_cancelled = False

    def cancelled(self, indexes: Iterable[int]) -> dict[int, Manifest]:
        """Say of those indexes that were cancelled that they were."""

        def settle(index: int) -> Manifest | None:
            return self.commit(index, None) if self.is_cancelled(index) else None

        return self.each(indexes, settle, only_begun=True)

    def each(
        self,
        indexes: Iterable[int],
        settle: Callable[[int], Manifest | None],
        *,
        only_begun: bool = False,
    ) -> dict[int, Manifest]:
        """What `settle`, which may ask all below, makes of the indexes of which it makes anything.

        Several at a time, where the store is far away. `only_begun`: unless all were cancelled,
        those of which the store has anything.
        """
        asked = list(indexes)
        if not asked:
            return {}
        self._begun = self._runs.begun(self._run.id) if len(asked) > _FEW else None
        self._all_cancelled = self._runs.is_cancelled(self._run.id)
        if only_begun and not self._all_cancelled:
            asked = [index for index in asked if self._has_any(index)]
        return self._runs.of_each(asked, settle)

    def commit(
        self,
        index: int,
        failure: Failure | None,
        attempt: int = 0,
        phases: Phases | None = None,
    ) -> Manifest:
        """The manifest of an index: what an attempt has left, or one of ours, or another's.

        Without a `failure`, or where somebody asked for its end, it was cancelled.
        """
        cancelled = failure is None or self.is_cancelled(index)
        state: State = "cancelled" if cancelled else "failed"
        if state == "failed" and failure and failure.code == "DEADLINE":
            state = "timed-out"
        made = self.interrupted(index) or msgspec.structs.replace(
            unreported(self._run, index, attempt), phases=phases or Phases()
        )
        made = msgspec.structs.replace(made, state=state, failure=None if cancelled else failure)
        if self._runs.commit(made):
            return made
        return self._runs.manifest(self._run.id, index) or made

    def interrupted(self, index: int) -> Manifest | None:
        """What the last attempt saved when it was ended from outside."""
        if not self._has_any(index):
            return None
        for attempt in reversed(self._runs.attempts(self._run.id, index)):
            found = self._runs.interrupted(self._run.id, index, attempt)
            if found:
                return found
        return None

    def is_cancelled(self, index: int) -> bool:
        """Whether somebody asked for the end of this index, or of the run."""
        if self._all_cancelled:
            return True
        return self._has_any(index) and self._runs.store.has(self._keys.cancel_index(index))

    def _has_any(self, index: int) -> bool:
        return self._begun is None or index in self._begun
