"""File systems of a few MB, for what happens where one is full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small(folder: Path, size: str) -> Iterator[Path]:
    """`folder`, made if need be, with room for `size` ("2m"); skips where none can be had."""
    folder.mkdir(exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting takes root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        # What was killed a moment ago may still have a file open there.
        subprocess.run(("umount", "--lazy", folder), check=True)
