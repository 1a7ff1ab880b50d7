"""What an engine says of itself and of containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dispatcher.docker.container import PLACE_LABEL, PLACES_LABEL, RUN_LABEL
from packer.record import Record

if TYPE_CHECKING:
    from docker.models.containers import Container

_OVER = frozenset({"exited", "dead", "removing"})


class EngineFacts(Record, frozen=True):
    """An engine at one moment."""

    runtimes: tuple[str, ...]
    """The container runtimes that it has, such as "runc" and "nvidia"."""
    memory: int
    """Bytes of its machine."""
    clock: float
    """Its time, in seconds since the epoch."""


class ContainerState(Record, frozen=True):
    """One container at one moment."""

    name: str
    status: str
    """created, running, restarting, exited, dead, …"""
    run: str = ""
    place: int = 0
    """Which of its run's containers it is."""
    places: int = 1
    """How many containers its run has."""
    exit_code: int = 0
    restarts: int = 0
    """How often its engine started it again."""
    out_of_memory: bool = False
    error: str = ""
    since: float = 0
    """When it ended, else when it was created, by the engine's clock."""

    @property
    def begun(self) -> bool:
        """Whether it was ever started."""
        return self.status != "created"

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status in _OVER


def facts(info: Mapping[str, Any]) -> EngineFacts:
    """What an engine's `/info` says."""
    return EngineFacts(
        runtimes=tuple(info.get("Runtimes") or ()),
        memory=info["MemTotal"],
        clock=_seconds(info["SystemTime"]),
    )


def state(container: Container) -> ContainerState:
    """The container as it was when the engine was asked last."""
    known = container.attrs["State"]
    ended = known["Status"] in _OVER
    return ContainerState(
        name=container.name or "",
        status=known["Status"],
        run=container.labels.get(RUN_LABEL, ""),
        place=int(container.labels.get(PLACE_LABEL, 0)),
        places=int(container.labels.get(PLACES_LABEL, 1)),
        exit_code=known.get("ExitCode", 0),
        restarts=container.attrs.get("RestartCount", 0),
        out_of_memory=known.get("OOMKilled", False),
        error=known.get("Error", ""),
        since=_seconds(known["FinishedAt"] if ended else container.attrs["Created"]),
    )


def incomplete(states: Sequence[ContainerState]) -> bool:
    """Whether some of a run's containers are missing, or were never started."""
    begun = [each for each in states if each.begun]
    return not begun or len(begun) < begun[0].places


def _seconds(stamp: str) -> float:
    """Such as "2026-11-29T19:00:00.123456789Z", in seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp()
