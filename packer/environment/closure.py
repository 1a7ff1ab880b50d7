"""What only sendoff needs: the distributions that stay out of the image with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packer.environment.distribution import Distribution, normalized
from packer.environment.interpreter import Interpreter
from packer.environment.requirements import Requirements, markers
from packer.environment.target import own_platform

SENDOFF = "sendoff"
_EXTRAS = ("mcp",)
"""Of sendoff, that no experiment has a use for; whoever installs matplotlib may well plot."""


def left_out(
    distributions: Iterable[Distribution], asked: Iterable[str], interpreter: Interpreter
) -> frozenset[str]:
    """Names of what stays out: sendoff, and what is there for its sake alone.

    A distribution stays in where pip was asked for it, where the project declares it (`asked`),
    or where another one that stays in requires it.
    """
    known = {each.name: each for each in distributions}
    if SENDOFF not in known:
        return frozenset()
    requires = Requirements(known, markers(interpreter, own_platform(interpreter)))
    candidates = requires.reach({SENDOFF}, ((SENDOFF, extra) for extra in _EXTRAS))
    wanted = {normalized(name) for name in asked}
    roots = {
        name
        for name, each in known.items()
        if name != SENDOFF and (name not in candidates or each.requested or name in wanted)
    }
    return frozenset(candidates - requires.reach(roots)) | {SENDOFF}


def declared(project: Path) -> tuple[str, ...]:
    """Names that the project's own files ask for: pyproject.toml and requirements*.txt."""
    found = list(_pyproject(project / "pyproject.toml"))
    for path in sorted(project.glob("requirements*.txt")):
        found += [
            line for line in path.read_text(errors="replace").splitlines() if line[:1].isalnum()
        ]
    names = (re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", text) for text in found)
    return tuple(sorted({normalized(name[1]) for name in names if name}))


def _pyproject(path: Path) -> Iterable[str]:
    import tomllib

    try:
        content: dict[str, Any] = tomllib.loads(path.read_text())
    except (OSError, ValueError):
        return
    project = content.get("project", {})
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    groups += content.get("dependency-groups", {}).values()
    for group in groups:
        yield from (item for item in group if isinstance(item, str))
