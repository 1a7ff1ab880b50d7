"""The form of every answer: it ends with what can be called next."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from msgspec import Meta

from packer.record import Record

Number = float | str
"""A number; "nan" and "inf" are said in words."""
Reused = Annotated[
    bool,
    Meta(description="Whether nothing was run: `run` is an earlier run of the same, and answers."),
]


Warnings = Annotated[
    tuple[str, ...], Meta(description="What packing warned of; some. Empty until it is packed.")
]


class Part(Record, frozen=True, omit_defaults=False):
    """Base of what answers are made of."""

    @classmethod
    def of(cls, *sources: object, **given: Any) -> Self:
        """One with the `given` fields, and all others as the first source that has them does."""
        for name in cls.__struct_fields__:
            for source in () if name in given else sources:
                if hasattr(source, name):
                    given[name] = getattr(source, name)
                    break
        return cls(**given)


class Step(Record, frozen=True):
    """A call that makes sense now."""

    tool: str
    arguments: dict[str, Any] = {}
    why: str = ""


class Answer(Part, frozen=True, kw_only=True):
    """Base of what tools answer."""

    next: tuple[Step, ...] = ()


class Problem(Answer, frozen=True):
    """Why a call came to nothing."""

    code: str
    phase: str
    blame: Literal["user", "infra", "capacity", "config"]
    retryable: bool
    message: str
    cause: str = ""
    evidence: str = ""
    fix: str = ""
