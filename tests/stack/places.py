"""Every directory the stack keeps things in."""

from __future__ import annotations

import os
from pathlib import Path

RECIPES = Path(__file__).parent / "recipes"


def cache() -> Path:
    """What is built once and may be deleted at any time."""
    return _below("XDG_CACHE_HOME", ".cache")


def state() -> Path:
    """What runs now: the state file, and a directory for each start's data."""
    return _below("XDG_STATE_HOME", ".local/state")


def _below(variable: str, default: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / default) / "sendoff-stack"
