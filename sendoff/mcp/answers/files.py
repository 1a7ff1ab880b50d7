"""What is told of what runs printed and wrote."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from dispatcher.run import State
from sendoff.mcp.answers.answer import Answer, Part


class Log(Answer, frozen=True):
    """Output, as much as fits, up to a line of it."""

    run: str
    state: State
    text: Annotated[str, Meta(description="Both streams; what \\r overwrote is left out.")]
    lines: int
    skip: Annotated[int, Meta(description="Lines that come after these.")]
    earlier: Annotated[bool, Meta(description="Whether there are lines before these.")]


class File(Part, frozen=True):
    """One file that a command wrote."""

    run: str
    path: str
    size: int
    sha256: str


class Content(Part, frozen=True):
    """A part of a file."""

    path: str
    text: str
    offset: int
    size: Annotated[int, Meta(description="Of the whole file, in bytes.")]
    more: bool


class Files(Answer, frozen=True):
    """Files that a run wrote."""

    run: str
    state: State
    files: tuple[File, ...]
    files_in_all: int
    content: Content | None = None
    fetched: Annotated[tuple[str, ...], Meta(description="Paths on the server's machine.")] = ()
    fetched_in_all: int = 0
