"""What is told of what there is to run on."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from sendoff.mcp.answers.answer import Answer, Part


class GpuClass(Part, frozen=True):
    """GPUs of one class. Null: unknown."""

    name: str
    count: int
    free: int | None
    largest_free: Annotated[int | None, Meta(description="Free on the node that has most.")]
    largest: int
    memory: Annotated[int, Meta(description="Bytes of one.")]
    drivers: tuple[str, ...]
    queue: str
    usable: bool


class Hardware(Answer, frozen=True):
    """What there is to run on."""

    target: str
    classes: tuple[GpuClass, ...]
    machine: Annotated[
        tuple[dict[str, Any], ...], Meta(description="GPUs of this machine, where runs go there.")
    ]
    unknown: str
