"""A directory outside the project that is packed beside it."""

from __future__ import annotations

from pathlib import Path

from packer.record import Record


class EditableTree(Record, frozen=True):
    """Source that an editable install or a `.pth` points to."""

    name: str
    source: Path
    in_image: str
    """Where it is in the image: below `image_paths.EDITABLE`."""
    always: tuple[str, ...] = ()
    """Git patterns, relative to `source`, of files packed whatever `.gitignore` says."""
