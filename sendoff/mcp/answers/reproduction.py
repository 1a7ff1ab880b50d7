"""What is told of a run that is done again."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sendoff.mcp.answers.answer import Answer, Part


class LevelHolds(Part, frozen=True):
    """Whether a level holds; null where nobody looked."""

    name: str
    holds: bool | None
    why: str


class IndexReproduced(Part, frozen=True):
    """One index of several."""

    earlier: str
    run: str
    holds: bool
    level: str
    difference: str


class Reproduced(Answer, frozen=True):
    """A reproduction that was begun, or what it has shown."""

    reference: str
    digest: str
    run: Annotated[str, Meta(description="The reproduction; empty where nothing was run.")]
    ended: bool
    earlier: Annotated[str, Meta(description="What it is compared with; empty where unknown.")]
    asked: Annotated[str, Meta(description="The level that was asked for.")]
    holds: Annotated[bool | None, Meta(description="Whether that holds; null until it ended.")]
    level: Annotated[str, Meta(description="The strongest that holds.")]
    levels: tuple[LevelHolds, ...] = ()
    difference: Annotated[str, Meta(description="The first one, at the level asked for.")] = ""
    indexes: Annotated[
        tuple[IndexReproduced, ...],
        Meta(description="Of several, some: first those of which the level does not hold."),
    ] = ()
    index_count: Annotated[int, Meta(description="How many there are; 0 for an only one.")] = 0
    cause: Annotated[str, Meta(description="Why outputs differ, as far as anything tells.")] = ""
