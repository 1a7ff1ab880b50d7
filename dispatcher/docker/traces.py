"""What containers that are gone have left in the store: the attempts that they began."""

from __future__ import annotations

from dispatcher.docker import container
from dispatcher.docker.container import Spread
from dispatcher.run import Run
from dispatcher.store import Runs


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
