"""The docker target: checks a request against an engine and starts its containers."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from dispatcher import pod_config
from dispatcher.docker import container
from dispatcher.docker.container import Surroundings
from dispatcher.docker.engine import Engine
from dispatcher.docker.errors import EngineWithoutGpus
from dispatcher.docker.view import DockerView
from dispatcher.errors import RegistryNotPullable, SecretMissing
from dispatcher.gpu_expression import parse
from dispatcher.places import Places
from dispatcher.pod_config import PodTerms
from dispatcher.request import Request
from dispatcher.run import Run
from dispatcher.runner.address import is_s3
from dispatcher.runner.exit_status import COMMITTED, UNSUCCESSFUL

_NVIDIA = "nvidia"
_DONE = (COMMITTED, UNSUCCESSFUL)
"""Exit statuses of containers that have left nothing to find out."""


class DockerTarget:
    """Runs as containers of the engine that `DOCKER_HOST` names, else this machine's."""

    def __init__(self, places: Places) -> None:
        self._places, self._engine = places, Engine()

    def admit(self, request: Request) -> None:
        """Refuse what can never run there; nobody knows what driver the engine has.

        Raises:
            RegistryNotPullable, SecretMissing, EngineUnreachable, EngineWithoutGpus
        """
        if request.repository.startswith("/"):
            raise RegistryNotPullable("docker", request.repository)
        missing = [name for name in request.secrets if name not in os.environ]
        if missing:
            raise SecretMissing(missing)
        runtimes = self._engine.runtimes()
        if parse(request.resources.gpu) and _NVIDIA not in runtimes:
            raise EngineWithoutGpus(request.resources.gpu, runtimes)

    def check(self, request: Request) -> None:
        """Refuse what can't run there; as `admit`."""
        self.admit(request)

    def claim(self, run_id: str) -> DockerClaim | None:
        """The right to start a run: a container's name is taken once, so anyone may try."""
        del run_id
        return DockerClaim(self._engine, self._places)

    def started(self, run_id: str) -> bool:
        """Whether the run has containers."""
        return bool(self._engine.states(run_id))

    def prepared(self, run_id: str) -> bool:
        """Always: its images were pulled before anything was started."""
        del run_id
        return True

    def view(self, run: Run) -> DockerView:
        """A look at a run of the engine."""
        return DockerView(run.id, self._engine)

    def cancel(self, run: Run, index: int | None) -> None:
        """Ask the run's runners to end; one index is left to its runner, which looks for it."""
        if index is None:
            self._engine.stop(run.id)


class DockerClaim:
    """The right to start one run."""

    def __init__(self, engine: Engine, places: Places) -> None:
        self._engine, self._places = engine, places

    def start(self, run: Run) -> None:
        """Pull its image and start its containers.

        Raises:
            PullFailed, EngineUnreachable, EngineRefused
        """
        around = _surroundings(self._places)
        spread = container.spread(run, around.cores)
        self._engine.sweep(_DONE)
        began = time.monotonic()
        self._engine.pull(f"{run.request.repository}@{run.request.inputs[0].digest}")
        terms = PodTerms(
            store=_store(self._places),
            per_pod=spread.each,
            memory=run.request.resources.memory,
            patience=self._places.store_patience,
            retries=run.request.retries or None,
            restarted=bool(run.request.retries),
            sent=datetime.fromisoformat(run.created).timestamp(),
            pulling=time.monotonic() - began,
        )
        files = pod_config.assignment(run, terms)
        files |= pod_config.credentials(run, self._places, container.lasting(run, spread))
        for keywords in container.containers(run, around):
            secrets = {name: os.environ[name] for name in run.request.secrets}
            keywords["environment"] |= secrets
            self._engine.create(keywords, _placed(files))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was held."""


def _placed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{container.CONFIG}/{name}": data for name, data in files.items()}


def _store(places: Places) -> dict[str, Any]:
    """The store as a container reaches it."""
    if is_s3(places.store):
        return pod_config.bucket(places)
    return {"kind": "directory", "path": container.STORE}


def _surroundings(places: Places) -> Surroundings:
    cores = len(os.sched_getaffinity(0))
    if is_s3(places.store):
        return Surroundings(cores=cores)
    os.makedirs(places.store, exist_ok=True)  # noqa: PTH103
    return Surroundings(cores=cores, store=places.store, user=f"{os.getuid()}:{os.getgid()}")
