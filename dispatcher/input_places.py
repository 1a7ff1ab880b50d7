"""Where a command's inputs have their place, beside the project's files and each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from dispatcher.input_errors import InputInTheWay
from dispatcher.input_source import Source
from packer.project.listing import entries


class _Taken:
    """What is in the working directory so far."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._folders: set[str] = set()

    def folder(self, path: str) -> None:
        """There is a folder, and those that it is in."""
        self._folders |= {path, *_above(path)}

    def file(self, path: str) -> None:
        """There is something that nothing can be put into."""
        self.names.add(path)
        self._folders |= {*_above(path)}

    def in_the_way(self, path: str) -> str:
        """What keeps a file from being put at a path; empty where nothing does."""
        if path in self.names or path in self._folders:
            return path
        return next((each for each in _above(path) if each in self.names), "")


def check(sources: Sequence[Source], listing: bytes) -> None:
    """Refuse what would be put where something is; `listing` is the project's.

    Raises:
        InputInTheWay
    """
    taken = _Taken()
    for entry in entries(listing):
        (taken.folder if entry.kind == "directory" else taken.file)(entry.path)
    for source in sources:
        for path in _places(source):
            if found := taken.in_the_way(path):
                raise InputInTheWay(path, found)
            taken.file(path)


def _places(source: Source) -> Iterator[str]:
    for file in source.files:
        yield f"{source.data.path}/{file.path}" if file.path else source.data.path


def _above(path: str) -> Iterator[str]:
    return (str(each) for each in PurePosixPath(path).parents if each.parts)
