"""What `check` and `submit` answer: whether a run may be, and that it is."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from dispatcher.run import State
from sendoff.mcp.answers.answer import Answer, Part, Reused, Warnings


class Finding(Part, frozen=True):
    """One thing that was looked at."""

    area: str
    what: str
    state: Literal["ok", "poor", "problem"]
    said: str = ""
    fix: str = ""


class Budget(Part, frozen=True):
    """What a group may use. Null: without limit."""

    group: str
    gpu_hours: float | None
    gpu_hours_spent: float
    gpu_hours_reserved: Annotated[
        float, Meta(description="What runs under way may come to, by their time-outs.")
    ]
    gpu_hours_left: float | None
    runs: Annotated[int | None, Meta(description="Indexes that may be under way at once.")]
    runs_under_way: int
    runs_left: int | None


class Checked(Answer, frozen=True):
    """Whether it could be submitted."""

    ok: bool
    target: str
    project: str
    findings: tuple[Finding, ...]
    budget: Budget | None
    asks_gpu_hours: Annotated[
        float | None, Meta(description="At most; null where there is no time-out.")
    ]
    asks_runs: int


class Submitted(Answer, frozen=True):
    """A run that has an id; its images are packed in the background."""

    run: str
    state: State
    indexes: int
    group: str
    target: str
    reused: Reused
    warnings: Warnings
