"""The git repository that a project is, or is a part of: its ignore rules and its commit."""

# Paths are raw bytes here, which pathlib does not take.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Sequence

from packer.ignore import GIT, Level, Rules, content


def root_of(directory: bytes) -> bytes:
    """The nearest directory, from this one upwards, with a `.git` in it; empty for none."""
    while not os.path.lexists(os.path.join(directory, b".git")):
        if directory == os.path.dirname(directory):
            return b""
        directory = os.path.dirname(directory)
    return directory


def rules(project: bytes, always: Sequence[str] = ()) -> Rules:
    """The rules that hold at `project` (an absolute path) before its own ignore files.

    Where the repository around it ignores the project itself, someone packs it all the same: the
    repository's rules are void.
    """
    repository = root_of(project)
    if repository in (b"", project):
        return Rules.base(always)
    parts = os.path.relpath(project, repository).split(b"/")
    outer = Rules.base()
    inner = Rules.base(always, b"/".join(parts) + b"/")
    for depth in range(len(parts)):
        above = b"/".join(parts[:depth])
        if data := content(os.path.join(repository, above, GIT)):
            level = Level(data, above, "../" * (len(parts) - depth) + ".gitignore")
            outer, inner = outer.added(GIT, level), inner.added(GIT, level)
        if outer.verdict(b"/".join(parts[: depth + 1]), is_directory=True):
            return Rules.base(always)
    return inner
