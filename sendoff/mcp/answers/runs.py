"""What is told of runs: how they are, what they were and what became of them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from dispatcher.run import Failure, State
from sendoff.mcp.answers.answer import Answer, Number, Part, Reused, Warnings


class Index(Part, frozen=True):
    """One index of a run."""

    name: str
    state: State
    exit_code: int | None
    seconds: float | None
    parameters: dict[str, str]
    failure: Failure | None
    waiting: Annotated[Failure | None, Meta(description="Why it does not go on; it may yet.")]


class Going(Part, frozen=True):
    """How a run is going."""

    run: str
    state: State
    ended: bool
    reused: Reused
    counts: Annotated[dict[str, int], Meta(description="Indexes by state.")]
    said: Annotated[str, Meta(description="What goes on, in a sentence.")]
    warnings: Warnings
    troubled: Annotated[
        tuple[Index, ...], Meta(description="Indexes that failed or wait for somebody; some.")
    ]


class Waited(Answer, frozen=True):
    """What waiting came to."""

    ended: Annotated[bool, Meta(description="Whether all runs have ended.")]
    waited: Annotated[float, Meta(description="Seconds.")]
    runs: tuple[Going, ...]
    cursor: str


class Row(Part, frozen=True):
    """One run of a list."""

    run: str
    state: State
    created: str
    group: str
    target: str
    gpu: str
    command: str
    indexes: int
    succeeded: int
    code: Annotated[str, Meta(description="Of the first failure, or of what it waits for.")]


class Listed(Answer, frozen=True, omit_defaults=True):
    """Runs, the newest first."""

    runs: tuple[Row, ...]
    more: bool
    unreadable: Annotated[
        tuple[str, ...],
        Meta(description="Runs whose records can't be read, and are not listed; some."),
    ] = ()


class Detail(Part, frozen=True):
    """All about one index."""

    name: str
    state: State
    exit_code: int | None
    command: str
    parameters: dict[str, str]
    digest: str | None
    attempts: int
    started: str
    ended: str
    seconds: float | None
    failure: Failure | None
    waiting: Failure | None
    warnings: tuple[str, ...]
    metrics: dict[str, Number]
    metrics_in_all: int
    files: tuple[str, ...]
    files_in_all: int
    hardware: dict[str, Any]


class Told(Answer, frozen=True):
    """All about a run."""

    run: str
    state: State
    reused: Reused
    created: str
    name: str
    group: str
    project: str
    target: str
    gpu: str
    timeout: Annotated[float, Meta(description="Seconds; 0 for none.")]
    environment: str | None
    snapshot: str | None
    provenance: dict[str, Any]
    warnings: Warnings
    indexes: tuple[Detail, ...]
    indexes_in_all: int


class Ended(Part, frozen=True):
    """A run that was asked to stop."""

    run: str
    state: State


class Cancelled(Answer, frozen=True):
    """Runs that were asked to stop; they end within their grace time."""

    runs: tuple[Ended, ...]
