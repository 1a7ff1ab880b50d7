"""The one place that talks to a docker engine, through the docker SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dispatcher.docker.archive import archive
from dispatcher.docker.container import RUN_LABEL
from dispatcher.docker.errors import (
    EngineRefused,
    EngineUnreachable,
    EngineWithoutGpus,
    of_pull,
)
from dispatcher.docker.state import ContainerState, EngineFacts, facts, state

if TYPE_CHECKING:
    import docker
    from docker.models.containers import Container

_TIMEOUT = 60
_CONFLICT = 409
# The engine has no class of errors for it: no driver, no device, the toolkit's hook, or CDI.
_ABOUT_GPUS = re.compile(r"device driver|nvidia|\bcdi\b", re.IGNORECASE)


class Engine:
    """The engine that `DOCKER_HOST` names, else this machine's."""

    def __init__(self) -> None:
        self._connected: docker.DockerClient | None = None

    def facts(self) -> EngineFacts:
        """What it is.

        Raises:
            EngineUnreachable
        """
        with _answers("say what it is"):
            return facts(self._client.info())

    def pull(self, image: str) -> None:
        """Have it here.

        Raises:
            EngineUnreachable
            PullFailed, PullBroken, EngineFull: with the registry's or the engine's words.
        """
        from docker.errors import APIError, ImageNotFound

        with _answers(f"pull {image}"):
            try:
                self._client.images.get(image)
            except ImageNotFound:
                pass
            else:
                return
            try:
                # What fails after the first byte is an answer of its own, in a line among others.
                for line in self._client.api.pull(image, stream=True, decode=True):
                    if said := line.get("error"):
                        raise of_pull(image, said)
                self._client.images.get(image)
            except APIError as error:
                raise of_pull(image, _said(error)) from error

    def start(self, keywords: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Create a container with these files in it and start it, unless one of its name was.

        One that can't be started is removed.

        Raises:
            EngineUnreachable, EngineRefused, EngineWithoutGpus
        """
        from docker.errors import APIError

        gpus = sum(each["count"] for each in keywords.get("device_requests", ()))
        with _answers(f"start the container {keywords['name']}"), _gives(gpus):
            try:
                container = self._client.containers.create(**keywords)
            except APIError as error:
                if error.status_code != _CONFLICT:
                    raise
                container = self._client.containers.get(keywords["name"])
            if state(container).begun:
                return
            try:
                container.put_archive("/", archive(files))
                container.start()
            except BaseException:
                # Ctrl-C among them: it may hold secrets by now.
                _remove(container)
                raise

    def states(self, run_id: str) -> tuple[ContainerState, ...]:
        """The containers of a run, sorted by name.

        Raises:
            EngineUnreachable
        """
        with _answers("list containers"):
            found = [state(each) for each in self._of(run_id)]
        return tuple(sorted(found, key=lambda each: each.name))

    def stop(self, run_id: str) -> None:
        """Ask the runners of a run's containers to end; they give their command its grace.

        Containers that were never started are removed.

        Raises:
            EngineUnreachable
        """
        with _answers("stop containers"):
            for container in self._of(run_id):
                if not state(container).begun:
                    _remove(container)
                elif not state(container).ended:
                    _stop(container)

    def sweep(self, unneeded: Callable[[ContainerState], bool], *, but: str) -> None:
        """Remove the containers that are `unneeded`, of all runs but one.

        Raises:
            EngineUnreachable
        """
        with _answers("remove containers"):
            for container in self._labelled(RUN_LABEL):
                if container.labels[RUN_LABEL] != but and unneeded(state(container)):
                    _remove(container)

    def tail(self, name: str, lines: int) -> str:
        """The end of what a container wrote; empty where there is none of this name.

        Raises:
            EngineUnreachable
        """
        from docker.errors import NotFound

        with _answers("read a container's log"), suppress(NotFound):
            logged: bytes = self._client.containers.get(name).logs(tail=lines)
            return logged.decode(errors="replace")
        return ""

    def _of(self, run_id: str) -> list[Container]:
        return self._labelled(f"{RUN_LABEL}={run_id}")

    def _labelled(self, label: str) -> list[Container]:
        found: list[Container] = self._client.containers.list(
            all=True, filters={"label": label}, ignore_removed=True
        )
        return found

    @property
    def _client(self) -> docker.DockerClient:
        if self._connected is None:
            import docker

            self._connected = docker.from_env(timeout=_TIMEOUT)
        return self._connected


@contextmanager
def _answers(doing: str) -> Iterator[None]:
    import requests
    from docker.errors import APIError, DockerException

    try:
        yield
    except APIError as error:
        raise EngineRefused(doing, _said(error)) from error
    except (DockerException, requests.RequestException) as error:
        import os

        where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        raise EngineUnreachable(where, str(error).splitlines()[0]) from error


@contextmanager
def _gives(gpus: int) -> Iterator[None]:
    from docker.errors import APIError

    try:
        yield
    except APIError as error:
        if gpus and _ABOUT_GPUS.search(_said(error)):
            raise EngineWithoutGpus(gpus, _said(error)) from error
        raise


def _said(error: Any) -> str:
    return str(error.explanation or error)


def _stop(container: Container) -> None:
    from docker.errors import APIError

    try:
        container.update(restart_policy={"Name": "no"})
        container.kill("SIGTERM")
    except APIError as error:
        # It has just ended, or waits for its next start, in which its runner looks whether
        # anybody wants it.
        if error.status_code != _CONFLICT:
            raise


def _remove(container: Container) -> None:
    """Whatever it does; what another has removed, or can't be now, is nobody's harm."""
    from docker.errors import APIError

    with suppress(APIError):
        container.remove(v=True, force=True)
