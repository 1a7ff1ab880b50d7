"""Which run this code is in: none. Inside one, `dispatcher.runner.site.sendoff` has these names."""

from __future__ import annotations

import os
from pathlib import Path

run_id = ""
"""Of the run that this code is in."""
index = int(os.environ.get("SENDOFF_INDEX", "0"))
"""The number of its input; it can be set here, to try one of a sweep."""
attempt = int(os.environ.get("SENDOFF_ATTEMPT", "1"))
"""How often that input was begun."""


def inside() -> bool:
    """Whether this code runs in a run: here, never."""
    return False


def output_dir() -> Path:
    """Where files are results whatever they are called: here `$SENDOFF_OUTPUT_DIR`, or the working
    directory.
    """
    folder = Path(os.environ.get("SENDOFF_OUTPUT_DIR", "."))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
