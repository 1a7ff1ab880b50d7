"""What containers have left in the store: the attempts that they began, and their ends."""

from __future__ import annotations

from dispatcher.docker import container
from dispatcher.docker.container import Spread
from dispatcher.docker.state import ContainerState
from dispatcher.run import Run
from dispatcher.store import RunKeys, Runs

_FEW = 64
"""Inputs whose ends are looked for one by one."""


def any_attempt(run_id: str, runs: Runs) -> bool:
    """Whether a container of the run ever began an attempt."""
    return any(runs.attempts(run_id, index) for index in sorted(runs.begun(run_id)))


def places(run: Run, shares: Spread, runs: Runs) -> set[int]:
    """The containers that began an attempt at one of their inputs."""
    begun = runs.begun(run.id)
    return {
        place
        for place in range(shares.containers)
        if any(
            runs.attempts(run.id, index)
            for index in container.indexes(run, place, shares)
            if index in begun
        )
    }


def committed(state: ContainerState, runs: Runs) -> bool:
    """Whether each of a container's inputs is known to have its manifest: they are few, and do.

    Raises:
        RunUnknown: its run is none of this store's.
    """
    run = runs.run(state.run)
    inputs = container.indexes(run, state.place, container.spread(run, state.places))
    keys = RunKeys(run.id)
    return len(inputs) <= _FEW and all(runs.store.has(keys.manifest(index)) for index in inputs)
