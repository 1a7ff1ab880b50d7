"""What only sendoff needs: the distributions that stay out of the image with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packer.environment.distribution import Distribution, normalized
from packer.environment.interpreter import Interpreter

SENDOFF = "sendoff"


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
    requires = _Requirements(known, interpreter)
    candidates = requires.reach({SENDOFF})
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


class _Requirements:
    """Who needs whom, extras and markers considered (PEP 508)."""

    def __init__(self, known: Mapping[str, Distribution], interpreter: Interpreter) -> None:
        from packaging.markers import default_environment

        self._known = known
        self._environment: dict[str, str] = {
            **{key: str(value) for key, value in default_environment().items()},
            "python_version": interpreter.minor,
            "python_full_version": interpreter.version,
            "implementation_version": interpreter.version,
        }

    def reach(self, roots: Iterable[str]) -> set[str]:
        """The roots and everything they need that is installed."""
        pending = [(name, "") for name in sorted(roots)]
        seen = set(pending)
        while pending:
            for need in self._needs(*pending.pop()):
                if need not in seen:
                    seen.add(need)
                    pending.append(need)
        return {name for name, _ in seen}

    def _needs(self, name: str, extra: str) -> Iterable[tuple[str, str]]:
        """Pairs of a name and an extra of it ("" for its plain requirements)."""
        from packaging.requirements import InvalidRequirement, Requirement

        if extra:
            yield name, ""
        for text in self._known[name].requires:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            marker = requirement.marker
            if marker and not marker.evaluate({**self._environment, "extra": extra}):
                continue
            needed = normalized(requirement.name)
            if needed in self._known:
                yield needed, ""
                yield from ((needed, normalized(each)) for each in requirement.extras)
