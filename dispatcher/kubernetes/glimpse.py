"""A pod of a run, as much of it as states are derived from."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatcher.kubernetes.run_objects import Pod


class Glimpse(msgspec.Struct, frozen=True, gc=False):
    """One pod that has not ended."""

    name: str
    completion: int
    """The completion index."""
    state: Literal["queued", "running"]
    failures: int = 0
    """Attempts of its index before it that failed."""
    started: str = ""
    placed: bool = False
    """Whether it has a node, and so may have begun."""
    pod: Pod | None = None
    """All of it, where that was asked for."""


def of_pod(pod: Pod) -> Glimpse:
    """What of a pod matters."""
    running = [
        status.state.running for status in pod.status.container_statuses if status.state.running
    ]
    return Glimpse(
        name=pod.metadata.name,
        completion=pod.index,
        state="running" if running or pod.status.phase == "Running" else "queued",
        failures=pod.failures,
        started=running[0].started_at or "" if running else "",
        placed=bool(pod.spec.node_name),
        pod=pod,
    )
