"""Why a command could not be started, and how it would be. The working directory is its own."""

from __future__ import annotations

import os
import re
import shlex

from .outcome import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BUILT_IN = frozenset({"alias", "cd", "eval", "exec", "export", "set", "source", "ulimit", "umask"})
"""What only a shell knows."""
_SHELL = re.compile(r"\s|[|&;<>`]|\$[({]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_OF_ENVIRONMENT = re.compile(r"(?:^|/)bin/([^/]+)$")


def of(command: list[str], reason: str, path: str) -> dict[str, Any]:
    """The failure; `reason` is the system's, `path` what was tried, where anything was."""
    name = command[0]
    there = "/" in name and os.path.exists(name)
    return failed(
        "COMMAND_NOT_FOUND",
        f"can't start the command: {name}" if there else f"no such command: {name}",
        evidence=[f"{path}: {reason}" if path else reason],
        fix=_remedy(command, name),
    )


def _remedy(command: list[str], name: str) -> str:
    if os.path.isfile(name):
        return _of_file(name)
    if _VARIABLE.match(name):
        rest = shlex.join(command[1:])
        return f"no shell reads the command; give the variable so: -e {shlex.quote(name)} -- {rest}"
    if name in _BUILT_IN or _SHELL.search(name):
        words = name if len(command) == 1 else shlex.join(command)
        return f"no shell reads the command; have one: -- bash -c {shlex.quote(words)}"
    inside = _OF_ENVIRONMENT.search(name)
    if inside:
        return (
            "the environment's programs are on PATH, wherever it is on the machine that packed "
            f"it: {inside[1]}"
        )
    return "install it in the environment, or give its path in the project"


def _of_file(name: str) -> str:
    if name.endswith(".py"):
        return f"start it with its interpreter: python {shlex.quote(name)}"
    if not os.access(name, os.X_OK):
        quoted = shlex.quote(name)
        return f"make it executable where it is packed: chmod +x {quoted}; or: sh {quoted}"
    return "correct its first line: the program after #! has to be in the image, such as /bin/sh"
