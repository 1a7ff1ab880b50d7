"""What a setting is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packer.record import Record


class Setting(Record, frozen=True):
    """One setting: in a file its `key`, in the environment its `variable`."""

    key: str
    read: Callable[[Any, Path], Any]
    """The value of what a source holds; paths are taken relative to the second argument."""
    default: Callable[[Mapping[str, str]], Any]
    """The embedded default, given the environment variables."""
    help: str

    @property
    def field(self) -> str:
        """The field of `Settings`."""
        return self.key.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "SENDOFF_" + self.field.upper()


def xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    """The folder of sendoff below an XDG base directory (XDG Base Directory Specification 0.8).

    A relative path in the variable is invalid and ignored, as the specification asks.
    """
    base = environ.get(variable, "")
    home = Path(environ.get("HOME") or "~").expanduser()
    return (Path(base) if base.startswith("/") else home / fallback) / "sendoff"
