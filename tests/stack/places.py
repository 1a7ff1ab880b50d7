"""Every directory the stack keeps things in, settled before any test changes the environment."""

from __future__ import annotations

import os
from pathlib import Path


def _below(variable: str, default: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / default) / "sendoff-stack"


RECIPES = Path(__file__).parent / "recipes"
CACHE = _below("XDG_CACHE_HOME", ".cache")
"""What is built once. It may be deleted at any time."""
STATE = _below("XDG_STATE_HOME", ".local/state")
"""What runs now: the state file, and a directory for each start's data."""
