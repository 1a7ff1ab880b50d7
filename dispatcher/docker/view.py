"""What an engine knows of a run beside the store: whether its containers live."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime

from dispatcher import diagnosis, refusal
from dispatcher.docker import container
from dispatcher.docker.engine import Engine
from dispatcher.docker.state import ContainerState, incomplete
from dispatcher.run import Failure, Manifest, Run
from dispatcher.runner.exit_status import INTERRUPTED
from dispatcher.settlement import Settlement
from dispatcher.store import Runs
from dispatcher.target import Sight

_EVIDENCE = 5
"""Lines of a container's log that say why its runner failed."""
_STARTING = 120.0
"""Seconds from a run's last sign for which what is missing of it may just be being started."""


class DockerView:
    """Looks at one run of an engine."""

    def __init__(self, run: Run, engine: Engine, runs: Runs) -> None:
        self._run, self._engine, self._runs = run, engine, runs
        self._settlement = Settlement(run, runs)
        self._left: frozenset[int] = frozenset()
        """Those that no container works on, nor has come to an end of its own with."""

    def look(self, indexes: Collection[int]) -> Sight:
        """Only the store knows of indexes, and any may have ended."""
        states, self._left = self._engine.states(self._run.id), frozenset()
        begun = self._of(indexes, [state for state in states if state.begun])
        if any(state.begun and not state.ended for state in states):
            return self._living(frozenset(indexes), begun)
        if self._starting(states):
            return Sight(ended=frozenset(indexes), begun=begun)
        self._left = frozenset(indexes) - self._of(indexes, list(filter(_ended_itself, states)))
        return Sight(ended=frozenset(indexes), begun=begun, lost=self._lost(states))

    def settle(self, indexes: Collection[int]) -> dict[int, Manifest]:
        """Those that were cancelled before a runner came to them. What else a store did not take
        is gone with its container.
        """
        return self._settlement.cancelled(self._left.intersection(indexes))

    def close(self) -> None:
        """Nothing is open."""

    def _living(self, indexes: frozenset[int], begun: frozenset[int]) -> Sight:
        """While a container works on the run: what others were refused for is told already."""
        without = indexes - begun
        if not without or not self._refused():
            return Sight(ended=indexes)
        self._left = without
        return Sight(ended=without, likely=begun, lost=self._gone)

    def _lost(self, states: Sequence[ContainerState]) -> Failure:
        """Why no container works on the run any more."""
        failed = sorted(filter(_failed, states), key=lambda state: not _ended_itself(state))
        if failed:
            return self._said(failed[0])
        if not all(state.begun for state in states):
            return diagnosis.of_unstarted(self._run.id)
        if incomplete(states):
            return self._gone
        # All ended well: whichever was started again had inputs without tries left.
        return self._said(max(states, key=lambda state: state.restarts))

    def _starting(self, states: Sequence[ContainerState]) -> bool:
        """Whether somebody may be busy with starting all of its containers."""
        if states and not incomplete(states):
            return False
        if states:
            ago = self._engine.facts().clock - max(state.since for state in states)
        else:
            ago = time.time() - datetime.fromisoformat(self._run.created).timestamp()
        # What nobody wants any more, nobody starts.
        return ago < _STARTING and not (self._refused() or self._runs.is_cancelled(self._run.id))

    def _refused(self) -> bool:
        """Whether whoever was busy with it has left word that it could not be done."""
        return refusal.read(self._run.id, self._runs) is not None

    def _of(self, indexes: Collection[int], states: Sequence[ContainerState]) -> frozenset[int]:
        """Those of these containers."""
        if not states:
            return frozenset()
        each = container.spread(self._run, states[0].places).each
        places = {state.place for state in states}
        return frozenset(index for index in indexes if index // each in places)

    @property
    def _gone(self) -> Failure:
        return diagnosis.of_container(self._run.id, None, out_of_memory=False, said="")

    def _said(self, state: ContainerState) -> Failure:
        said = state.error or self._engine.tail(state.name, _EVIDENCE)
        return diagnosis.of_container(
            self._run.id, state.exit_code, out_of_memory=state.out_of_memory, said=said
        )


def _failed(state: ContainerState) -> bool:
    return bool(state.exit_code or state.error or state.out_of_memory)


def _ended_itself(state: ContainerState) -> bool:
    """Whether it was started, and not asked to end: a later cancellation changes nothing then."""
    return state.begun and state.exit_code != INTERRUPTED
