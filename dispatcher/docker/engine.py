"""The one place that talks to a docker engine, through the docker SDK."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dispatcher.docker.container import RUN_LABEL, SCRATCH
from dispatcher.docker.errors import EngineRefused, EngineUnreachable, PullFailed
from packer.record import Record

if TYPE_CHECKING:
    import docker
    from docker.models.containers import Container

_TIMEOUT = 60
_CONFLICT = 409


class ContainerState(Record, frozen=True):
    """What the engine knows of one container."""

    name: str
    status: str
    """created, running, restarting, exited, dead, …"""
    exit_code: int = 0
    out_of_memory: bool = False
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status in {"exited", "dead", "removing"}


class Engine:
    """The engine that `DOCKER_HOST` names, else this machine's."""

    def __init__(self) -> None:
        self._connected: docker.DockerClient | None = None

    def runtimes(self) -> tuple[str, ...]:
        """The container runtimes that it has, such as "runc" and "nvidia".

        Raises:
            EngineUnreachable
        """
        with _answers("say what it is"):
            return tuple(self._client.info().get("Runtimes", {}))

    def pull(self, image: str) -> None:
        """Have it here.

        Raises:
            EngineUnreachable
            PullFailed: with the registry's words.
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
                self._client.images.pull(image)
            except APIError as error:
                raise PullFailed(image, _said(error)) from error

    def create(self, keywords: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Create a container with these files in it and start it, unless there is one of its name.

        Raises:
            EngineUnreachable, EngineRefused
        """
        from docker.errors import APIError

        with _answers(f"create the container {keywords['name']}"):
            try:
                container = self._client.containers.create(**keywords)
            except APIError as error:
                if error.status_code != _CONFLICT:
                    raise
                container = self._client.containers.get(keywords["name"])
            if container.status == "created":
                container.put_archive("/", _archive(files))
                container.start()

    def states(self, run_id: str) -> tuple[ContainerState, ...]:
        """The containers of a run, sorted by name.

        Raises:
            EngineUnreachable
        """
        with _answers("list containers"):
            found = [_state(each) for each in self._of(run_id)]
        return tuple(sorted(found, key=lambda state: state.name))

    def stop(self, run_id: str) -> None:
        """Ask the runners of a run's containers to end; they give their command its grace.

        Raises:
            EngineUnreachable
        """
        with _answers("stop containers"):
            for container in self._of(run_id):
                if not _state(container).ended:
                    container.update(restart_policy={"Name": "no"})
                    container.kill("SIGTERM")

    def sweep(self, statuses: Collection[int]) -> None:
        """Remove the containers of all runs that ended with one of these exit statuses.

        Raises:
            EngineUnreachable
        """
        with _answers("remove containers"):
            for container in self._labelled(RUN_LABEL, status="exited"):
                if _state(container).exit_code in statuses:
                    container.remove(v=True)

    def tail(self, run_id: str, lines: int) -> str:
        """The end of what the first of a run's containers wrote; empty where there is none.

        Raises:
            EngineUnreachable
        """
        with _answers("read a container's log"):
            for container in self._of(run_id):
                logged: bytes = container.logs(tail=lines)
                return logged.decode(errors="replace")
        return ""

    def _of(self, run_id: str) -> list[Container]:
        return self._labelled(f"{RUN_LABEL}={run_id}")

    def _labelled(self, label: str, **filters: str) -> list[Container]:
        found: list[Container] = self._client.containers.list(
            all=True, filters={"label": label, **filters}, ignore_removed=True
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


def _said(error: Any) -> str:
    return str(error.explanation or error)


def _state(container: Container) -> ContainerState:
    state = container.attrs["State"]
    return ContainerState(
        name=container.name or "",
        status=state["Status"],
        exit_code=state.get("ExitCode", 0),
        out_of_memory=state.get("OOMKilled", False),
        error=state.get("Error", ""),
    )


def _archive(files: Mapping[str, bytes]) -> bytes:
    """A tar with the scratch folder, which anyone may write to, and `files` by absolute path."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        scratch = tarfile.TarInfo(SCRATCH[1:])
        scratch.type, scratch.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(scratch)
        for path, content in files.items():
            entry = tarfile.TarInfo(path[1:])
            entry.size, entry.mode = len(content), 0o444
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()
