"""The project's files at one instant."""

from __future__ import annotations

import os
from pathlib import Path

from packer.digest import Digest
from packer.progress import SILENT, Progress
from packer.project import listing
from packer.project.tree_errors import ProjectEmpty, ProjectMissing
from packer.record import Record

DEFAULT_LIMIT = 512 * 1024 * 1024
"""Bytes. Data and checkpoints belong in inputs and outputs, not in every image."""


class LeftOut(Record, frozen=True):
    """Something that is in the tree and stays there."""

    path: str
    """Fit to be shown: other bytes than UTF-8, and control characters, are escaped."""
    reason: str


class Snapshot(Record, frozen=True):
    """A tree's packed entries, independent of where and when it was read."""

    digest: Digest
    """Of the listing."""
    listing: bytes
    """See `packer.project.listing`."""
    files: int
    """How many entries there are."""
    size: int
    """Bytes of all files together."""
    left_out: tuple[LeftOut, ...] = ()
    """Sorted by path. What is below a directory that stays out was not looked at."""


class Rules(Record, frozen=True):
    """What a snapshot may hold."""

    always: tuple[str, ...] = ()
    """Git patterns of files that are packed although `.gitignore` says no."""
    limit: int = DEFAULT_LIMIT
    """Bytes in all."""


def take(
    project: Path, rules: Rules | None = None, *, cache: Path, progress: Progress = SILENT
) -> Snapshot:
    """The snapshot of the tree at `project`. `cache` is a directory for what is remembered.

    Raises:
        ProjectMissing, ProjectEmpty, TreeTooLarge, TreeChanged, SymlinkEscape, SymlinkLoop,
        FileUnreadable, DiskFull
    """
    from packer.project.file_cache import FileCache
    from packer.project.walk import Walk

    rules = rules or Rules()
    root = project.resolve()
    if not root.is_dir():
        raise ProjectMissing(str(project))
    memory = FileCache(cache / "files", root)
    walk = Walk(os.fsencode(root), memory.directories)
    walk.scan(rules.always)
    walk.refuse_above(rules.limit)
    walk.read(progress)
    memory.save(walk.directories)
    if not walk.heads:
        raise ProjectEmpty(str(project), len(walk.left_out))
    return _snapshot(walk.heads, walk.left_out, walk.size)


def _snapshot(heads: dict[bytes, bytes], left_out: list[tuple[bytes, str]], size: int) -> Snapshot:
    canonical = listing.join(heads)
    return Snapshot(
        digest=Digest.of(canonical),
        listing=canonical,
        files=len(heads),
        size=size,
        left_out=tuple(
            LeftOut(path=listing.shown(path), reason=why) for path, why in sorted(left_out)
        ),
    )
