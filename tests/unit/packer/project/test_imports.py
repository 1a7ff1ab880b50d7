"""What the text of a project's Python files imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from packer.project import imports, snapshot

HELD = """
import first, second.part as other, \\
    third
from fourth.part import (
    a,
)
from . import near
from .near import b
try: import fifth; from sixth import c
except ImportError:
    import seventh  # import eighth
ninth = __import__("ninth")
tenth = importlib.import_module( 'tenth.part')
important = from_afar = 1
"""
NAMES = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "ninth", "tenth"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project" / "deep").mkdir(parents=True)
    return tmp_path / "project"


def found(project: Path) -> set[str]:
    cache = project.parent / "cache"
    return set(imports.of(snapshot.take(project, cache=cache), project, cache))


def test_each_way_to_import(project: Path) -> None:
    (project / "deep" / "main.py").write_text(HELD)
    assert found(project) == NAMES
    (project / "deep" / "main.py").write_bytes(HELD.replace("\n", "\r\n").encode() + b"\xff")
    assert found(project) == NAMES


def test_notebooks_count_and_what_is_not_packed_does_not(project: Path) -> None:
    (project / "a.ipynb").write_text('{"source": [\n "import yaml\\n",\n "from rich import x"]}')
    (project / "notes.txt").write_text("import nothing")
    (project / ".gitignore").write_text("old.py")
    (project / ".git").mkdir()
    (project / "old.py").write_text("import old")
    (project / "link.py").symlink_to("a.ipynb")
    assert found(project) == {"yaml", "rich"}


def test_files_are_read_once_and_again_when_they_change(project: Path) -> None:
    cache = project.parent / "cache"
    (project / "a.py").write_text("import one")
    (project / "b.py").write_text("pass")
    taken = snapshot.take(project, cache=cache)
    assert imports.of(taken, project, cache) == {"one"}
    (project / "a.py").write_text("import two")
    assert imports.of(taken, project, cache) == {"one"}
    assert found(project) == {"two"}
    (memory,) = (cache / "imports").glob("[!.]*")
    memory.write_bytes(memory.read_bytes()[:-3])
    assert found(project) == {"two"}
