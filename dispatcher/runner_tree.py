"""The runner as files of an image."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

from packer.image_paths import RUNNER

_PACKAGE = Path(__file__).parent / "runner"
_NAME = "sendoff_runner"
# The package is given its own name and put on the path here: `-I` leaves the script's folder off.
_MAIN = f"""\
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from {_NAME}.__main__ import main

sys.exit(main(sys.argv[1:]))
"""


@functools.cache
def runner_tree() -> dict[str, bytes]:
    """In-image path → content: the runner, and the small `sendoff` that runs can import.

    Read once, as the modules of this process are.
    """
    tree = {f"{RUNNER}/__main__.py": _MAIN.encode()}
    return tree | {place: path.read_bytes() for place, path in sources().items()}


def sources() -> dict[str, Path]:
    """In-image path → the file here, of all that is a file here."""
    parts = {
        f"{RUNNER}/{_NAME}": _PACKAGE,
        f"{RUNNER}/site/sendoff": _PACKAGE / "site" / "sendoff",
        f"{RUNNER}/pickling/cloudpickle": _cloudpickle(),
    }
    return {
        f"{place}/{path.name}": path
        for place, folder in parts.items()
        for path in sorted(folder.glob("*.py"))
    }


def _cloudpickle() -> Path:
    """The package that functions were pickled with: for environments that have none."""
    found = importlib.util.find_spec("cloudpickle")
    return Path(found.origin).parent if found and found.origin else Path()
