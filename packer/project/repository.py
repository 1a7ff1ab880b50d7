"""The git repository that a project is, or is a part of: its ignore rules and its commit.

The commit is for people. No digest depends on it.
"""

# Paths are raw bytes here, which pathlib does not take.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Sequence

from packer.project.ignore import GIT, Level, Rules, content
from packer.record import Record

_GITDIR = b"gitdir: "
_PATIENCE = 2.0
"""Seconds that git may take to say whether something was changed; more it is not worth."""


class Revision(Record, frozen=True):
    """What git says of a project."""

    commit: str
    """Hex; empty in a repository without one."""
    dirty: bool | None
    """Whether the project holds something that the commit does not; None where git doesn't say."""


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


def revision(project: bytes) -> Revision | None:
    """The project's commit, and whether it was changed since; None outside a repository."""
    repository = root_of(project)
    if not repository:
        return None
    return Revision(commit=_commit(os.path.join(repository, b".git")), dirty=_dirty(project))


def _commit(mark: bytes) -> str:
    """The commit that is checked out, read from git's own files (gitrepository-layout(5))."""
    folder = _folder(mark)
    common = os.path.join(folder, content(os.path.join(folder, b"commondir")).strip())
    head = content(os.path.join(folder, b"HEAD")).strip()
    if not head.startswith(b"ref: "):
        return head.decode(errors="replace")
    reference = head.removeprefix(b"ref: ")
    for place in (folder, common):
        if found := content(os.path.join(place, reference)).strip():
            return found.decode(errors="replace")
    for line in content(os.path.join(common, b"packed-refs")).splitlines():
        commit, _, name = line.partition(b" ")
        if name == reference:
            return commit.decode(errors="replace")
    return ""


def _folder(mark: bytes) -> bytes:
    """Where `.git` is: a directory, or in a worktree or submodule a file that names one."""
    text = content(mark)
    if not text.startswith(_GITDIR):
        return mark
    return os.path.join(os.path.dirname(mark), text.removeprefix(_GITDIR).strip())


def _dirty(project: bytes) -> bool | None:
    from pathlib import Path

    from packer import process

    # Without the option git would write its index, and a git command of the user could find it
    # locked.
    command = ["git", "--no-optional-locks", "status", "--porcelain", "--", "."]
    try:
        answer = process.run(command, cwd=Path(os.fsdecode(project)), timeout=_PATIENCE)
    except process.ProgramFailed:
        return None
    return bool(answer)
