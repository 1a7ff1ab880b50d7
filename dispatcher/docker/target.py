"""The docker target: checks a request against an engine and starts its containers."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from dispatcher import pod_config
from dispatcher.docker import container, traces
from dispatcher.docker.container import Spread, Surroundings
from dispatcher.docker.engine import Engine
from dispatcher.docker.state import ContainerState, incomplete
from dispatcher.docker.view import DockerView
from dispatcher.errors import RegistryNotPullable, SecretMissing
from dispatcher.places import Places
from dispatcher.pod_config import PodTerms
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.runner.address import is_s3
from dispatcher.runner.exit_status import COMMITTED, UNSUCCESSFUL
from dispatcher.store import Runs
from packer.errors import SendoffError

_DONE = (COMMITTED, UNSUCCESSFUL)
"""Exit statuses of containers that have left nothing to find out, unless they were restarted."""
_KEPT = 24 * 3600.0
"""Seconds for which any other can be asked why it ended: it holds credentials and secrets."""


class DockerTarget:
    """Runs as containers of the engine that `DOCKER_HOST` names, else this machine's."""

    def __init__(self, places: Places) -> None:
        self._places, self._engine = places, Engine()
        self._pulling = 0.0

    def admit(self, request: Request) -> None:
        """Refuse what can never run there; what GPUs an engine can give shows only at a start.

        Raises:
            RegistryNotPullable, SecretMissing, EngineUnreachable
        """
        if request.repository.startswith("/"):
            raise RegistryNotPullable("docker", request.repository)
        missing = [name for name in request.secrets if name not in os.environ]
        if missing:
            raise SecretMissing(missing)
        self._engine.facts()

    def check(self, request: Request) -> None:
        """Refuse what can't run there, and have its image there.

        Before the run is known to anybody: a run without containers is one that nobody starts.

        Raises:
            PullFailed, PullBroken, EngineFull, and as `admit`.
        """
        self.admit(request)
        began = time.monotonic()
        self._engine.pull(container.image(request))
        self._pulling = time.monotonic() - began

    def claim(self, run_id: str) -> DockerClaim | None:
        """The right to start a run: a container's name is taken once, so anyone may try."""
        del run_id
        return DockerClaim(self._engine, self._places, self._pulling)

    def started(self, run_id: str) -> bool:
        """Whether all of its containers were started, or the store knows that they once were.

        What was cancelled counts as started: it need not be again.
        """
        states, runs = self._engine.states(run_id), Runs.at(self._places)
        if states and not incomplete(states):
            return True
        if runs.is_cancelled(run_id):
            return True
        return not states and traces.any_attempt(run_id, runs)

    def begun(self, run_id: str) -> bool:
        """Whether one of its containers was started: those after it may have been refused."""
        if any(state.begun for state in self._engine.states(run_id)):
            return True
        return traces.any_attempt(run_id, Runs.at(self._places))

    def prepared(self, run_id: str) -> bool:
        """Always: its images were pulled before anything was started."""
        del run_id
        return True

    def view(self, run: Run) -> DockerView:
        """A look at a run of the engine."""
        return DockerView(run, self._engine, Runs.at(self._places))

    def cancel(self, run: Run, index: int | None) -> None:
        """Ask the run's runners to end; one index is left to its runner, which looks for it."""
        if index is None:
            self._engine.stop(run.id)


class DockerClaim:
    """The right to start one run."""

    def __init__(self, engine: Engine, places: Places, pulling: float) -> None:
        """`pulling` is how many seconds its image took."""
        self._engine, self._places, self._pulling = engine, places, pulling

    def start(self, run: Run) -> None:
        """Start its containers that were not yet; where one can't be, those before it go on.

        Raises:
            EngineUnreachable, EngineRefused, EngineWithoutGpus
        """
        facts, runs = self._engine.facts(), Runs.at(self._places)
        self._engine.sweep(lambda state: _unneeded(state, facts.clock, runs), but=run.id)
        found = self._engine.states(run.id)
        around = _surroundings(self._places, facts.memory, found)
        shares = container.spread(run, around.cores)
        files = self._files(run, shares)
        gone = traces.places(run, shares, runs) - {each.place for each in found}
        secrets = {name: os.environ[name] for name in run.request.secrets}
        for place, keywords in enumerate(container.containers(run, around)):
            if place not in gone:
                keywords["environment"] |= secrets
                self._engine.start(keywords, files)

    def _files(self, run: Run, shares: Spread) -> dict[str, bytes]:
        request = run.request
        terms = PodTerms(
            store=_store(self._places),
            per_pod=shares.each,
            memory=request.resources.memory,
            patience=self._places.store_patience,
            retries=request.retries or None,
            restarted=bool(request.retries),
            sent=datetime.fromisoformat(run.created).timestamp(),
            pulling=self._pulling,
        )
        files = pod_config.assignment(run, terms)
        files |= pod_config.credentials(run, self._places, container.lasting(run, shares))
        return {f"{container.CONFIG}/{name}": data for name, data in files.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was held."""


def _unneeded(state: ContainerState, now: float, runs: Runs) -> bool:
    """Whether a container has nothing to tell any more, or has had long enough to."""
    if state.ended and state.exit_code in _DONE and _stored(state, runs):
        return True
    return (state.ended or not state.begun) and now - state.since > _KEPT


def _stored(state: ContainerState, runs: Runs) -> bool:
    """Whether the store has all that a container that ended well could tell.

    One that was started again ends well also where an input has no tries left, or else its engine
    would go on: then its log alone says what became of them.
    """
    if not state.restarts:
        return True
    try:
        return traces.committed(state, runs)
    except (SendoffError, OSError):
        # It may be a run of another store, or the store be away: that keeps nobody from starting.
        return False


def _store(places: Places) -> dict[str, Any]:
    """The store as a container reaches it."""
    if is_s3(places.store):
        return pod_config.bucket(places)
    return {"kind": "directory", "path": container.STORE}


def _surroundings(places: Places, memory: int, found: Sequence[ContainerState]) -> Surroundings:
    # Whoever began to start it may have had other cores: its inputs are spread once.
    cores = found[0].places if found else len(os.sched_getaffinity(0))
    if is_s3(places.store):
        return Surroundings(cores=cores, memory=memory)
    os.makedirs(places.store, exist_ok=True)  # noqa: PTH103
    user = f"{os.getuid()}:{os.getgid()}"
    return Surroundings(cores=cores, memory=memory, store=places.store, user=user)
