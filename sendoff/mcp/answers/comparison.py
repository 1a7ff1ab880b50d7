"""What is told of runs side by side."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sendoff.mcp.answers.answer import Answer, Number, Part


class Compared(Part, frozen=True):
    """One row of a comparison."""

    run: str
    state: str
    parameters: dict[str, str]
    metrics: dict[str, Number]
    digest: str | None


class Comparison(Answer, frozen=True):
    """Runs side by side."""

    rows: tuple[Compared, ...]
    rows_in_all: int
    parameters: Annotated[tuple[str, ...], Meta(description="Those that vary.")]
    metrics: Annotated[tuple[str, ...], Meta(description="Those that vary, or were asked for.")]
    metrics_left_out: Annotated[
        tuple[str, ...], Meta(description="Further ones; name them in `metrics`.")
    ]
    same: Annotated[dict[str, str], Meta(description="What is the same in all rows.")]
    best: Annotated[str, Meta(description="The best row's run; empty where not asked for.")]
