"""The host's interpreter for an image: the same version if there is one, else the same minor."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from dispatcher.errors import PythonNotHere
from packer.environment import interpreter
from packer.environment.interpreter import Interpreter
from packer.errors import SendoffError

# Where version managers keep interpreters that are not on PATH.
_MANAGED = (
    "~/.pyenv/versions/{minor}*/bin",
    "~/.local/share/uv/python/cpython-{minor}*/bin",
    "~/.local/share/mise/installs/python/{minor}*/bin",
    "/opt/python/{minor}*/bin",
)
_MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def find(version: str, cache: Path) -> Interpreter:
    """The host's interpreter that runs an image packed from Python `version` ("3.11.7").

    Raises:
        PythonNotHere: no interpreter of that minor is on this machine.
    """
    minor = version.rpartition(".")[0]
    best: Interpreter | None = None
    for candidate in _candidates(minor):
        try:
            found = interpreter.describe(candidate, cache)
        except SendoffError:
            # A shim of a version manager for a minor that is not installed, or a broken one.
            continue
        if found.version == version:
            return found
        if found.minor == minor and best is None:
            best = found
    if best is None:
        raise PythonNotHere(minor, [name for name in _MINORS if any(_candidates(name))])
    return best


def _candidates(minor: str) -> Iterator[Path]:
    if sys.version.startswith(minor + "."):
        yield Path(getattr(sys, "_base_executable", None) or sys.executable)
    name = f"python{minor}"
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(":") if folder]
    for pattern in _MANAGED:
        parent, _, below = str(Path(pattern.format(minor=minor)).expanduser())[1:].partition("/")
        root = Path("/", parent)
        # "3.1*" must not match 3.11.
        folders += [
            found
            for found in sorted(root.glob(below), reverse=True)
            if found.parent.name.removeprefix("cpython-").split(".")[1:2] == [minor.split(".")[1]]
        ]
    for folder in dict.fromkeys(folders):
        if os.access(folder / name, os.X_OK):
            yield folder / name
