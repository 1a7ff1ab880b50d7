"""Editable installs: source used in place, wherever it is."""

from __future__ import annotations

from pathlib import Path

from packer.record import Record


class EditableTree(Record, frozen=True):
    """Source outside the project that an editable install points to."""

    name: str
    source: Path
    in_image: str
    """Where it is in the image: below `image_paths.EDITABLE`."""
    always: tuple[str, ...] = ()
    """Patterns relative to `source` of files that are packed whatever `.gitignore` says."""
