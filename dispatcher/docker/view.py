"""What an engine knows of a run beside the store: whether its containers live."""

from __future__ import annotations

from collections.abc import Collection

from dispatcher import diagnosis
from dispatcher.docker.engine import ContainerState, Engine
from dispatcher.run import Failure, Manifest
from dispatcher.target import Sight

_EVIDENCE = 5
"""Lines of a container's log that say why its runner failed."""


class DockerView:
    """Looks at one run of an engine."""

    def __init__(self, run_id: str, engine: Engine) -> None:
        self._run_id, self._engine = run_id, engine

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
        """Why no container works on the run any more; None while one does."""
        states = self._engine.states(self._run_id)
        if any(not state.ended for state in states):
            return None
        ended = next(filter(_failed, states), states[0] if states else None)
        if ended is None:
            return diagnosis.of_container(self._run_id, None, out_of_memory=False, said="")
        said = ended.error or self._engine.tail(self._run_id, _EVIDENCE)
        return diagnosis.of_container(
            self._run_id, ended.exit_code, out_of_memory=ended.out_of_memory, said=said
        )


def _failed(state: ContainerState) -> bool:
    return bool(state.exit_code or state.error or state.out_of_memory)
