"""What an engine knows of a run beside the store: whether its containers live."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime

from dispatcher import diagnosis
from dispatcher.docker.engine import Engine
from dispatcher.docker.state import ContainerState, incomplete
from dispatcher.run import Failure, Manifest, Run
from dispatcher.target import Sight

_EVIDENCE = 5
"""Lines of a container's log that say why its runner failed."""
_STARTING = 120.0
"""Seconds from a run's last sign for which what is missing of it may just be being started."""


class DockerView:
    """Looks at one run of an engine."""

    def __init__(self, run: Run, engine: Engine) -> None:
        self._run, self._engine = run, engine

    def look(self, indexes: Collection[int]) -> Sight:
        """Only the store knows of indexes, and any may have ended."""
        return Sight(ended=frozenset(indexes), lost=self._lost())

    def settle(self, indexes: Collection[int]) -> dict[int, Manifest]:
        """Nothing: what a store did not take is gone with its container."""
        del indexes
        return {}

    def close(self) -> None:
        """Nothing is open."""

    def _lost(self) -> Failure | None:
        """Why no container works on the run any more; None while one does, or is to."""
        states = self._engine.states(self._run.id)
        if any(state.begun and not state.ended for state in states) or self._starting(states):
            return None
        if failed := next(filter(_failed, states), None):
            return self._of(failed)
        if not all(state.begun for state in states):
            return diagnosis.of_unstarted(self._run.id)
        if incomplete(states):
            return diagnosis.of_container(self._run.id, None, out_of_memory=False, said="")
        return self._of(states[0])

    def _starting(self, states: Sequence[ContainerState]) -> bool:
        """Whether somebody may be busy with starting all of its containers."""
        if not states:
            made = datetime.fromisoformat(self._run.created).timestamp()
            return time.time() - made < _STARTING
        if not incomplete(states):
            return False
        return self._engine.facts().clock - max(state.since for state in states) < _STARTING

    def _of(self, state: ContainerState) -> Failure:
        said = state.error or self._engine.tail(state.name, _EVIDENCE)
        return diagnosis.of_container(
            self._run.id, state.exit_code, out_of_memory=state.out_of_memory, said=said
        )


def _failed(state: ContainerState) -> bool:
    return bool(state.exit_code or state.error or state.out_of_memory)
