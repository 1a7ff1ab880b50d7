"""What a project's own files ask for by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_PATTERNS = ("requirements*.txt", "requirements/*.txt")


def files(project: Path) -> tuple[Path, ...]:
    """The files that are there: pyproject.toml and what pip calls requirements."""
    found = [path for pattern in _PATTERNS for path in project.glob(pattern)]
    return (*filter(Path.exists, [project / "pyproject.toml"]), *sorted(found))


def names(project: Path) -> tuple[str, ...]:
    """Normalized names of the distributions in them, sorted."""
    from packer.environment.distribution import normalized

    found: list[str] = []
    for path in files(project):
        found += _pyproject(path) if path.suffix == ".toml" else _requirements(path)
    matches = (re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", text) for text in found)
    return tuple(sorted({normalized(match[1]) for match in matches if match}))


def _requirements(path: Path) -> Iterable[str]:
    lines = path.read_text(errors="replace").splitlines()
    return [line for line in lines if line[:1].isalnum()]


def _pyproject(path: Path) -> Iterable[str]:
    import tomllib

    try:
        content: dict[str, Any] = tomllib.loads(path.read_text())
    except (OSError, ValueError):
        return
    project = content.get("project", {})
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    groups += content.get("dependency-groups", {}).values()
    poetry = content.get("tool", {}).get("poetry", {})
    groups += [each.get("dependencies", {}) for each in (poetry, *poetry.get("group", {}).values())]
    for group in groups:
        yield from (item for item in group if isinstance(item, str))
