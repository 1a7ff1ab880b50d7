"""The runner as files of an image."""

from __future__ import annotations

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


def runner_tree() -> dict[str, bytes]:
    """In-image path → content: the runner, and the small `sendoff` that runs can import."""
    tree = {f"{RUNNER}/__main__.py": _MAIN.encode()}
    for path in sorted(_PACKAGE.glob("*.py")):
        tree[f"{RUNNER}/{_NAME}/{path.name}"] = path.read_bytes()
    for path in sorted((_PACKAGE / "site" / "sendoff").glob("*.py")):
        tree[f"{RUNNER}/site/sendoff/{path.name}"] = path.read_bytes()
    for path in sorted(_cloudpickle().glob("*.py")):
        tree[f"{RUNNER}/pickling/cloudpickle/{path.name}"] = path.read_bytes()
    return tree


def _cloudpickle() -> Path:
    """The package that functions were pickled with: for environments that have none."""
    found = importlib.util.find_spec("cloudpickle")
    return Path(found.origin).parent if found and found.origin else Path()
