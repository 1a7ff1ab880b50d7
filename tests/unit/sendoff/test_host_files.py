from __future__ import annotations

from pathlib import Path

import pytest

from sendoff import host_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("project/.venv/bin/python", "project/src/a.py", "project/data.csv", "go", "b.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "project/.venv/pyvenv.cfg").touch()
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        ("{project}/.venv/bin/python x.py", "write python"),
        ("python {project}/src/a.py", "write src/a.py"),
        ("python {project}/../b.py", "copy it into the project"),
        ("{project}/../go", "copy it into the project"),
        ("python src/a.py --data {project}/data.csv", ""),
        ("/bin/sh -c true", ""),
        ("python {project}/nothing.py", ""),
    ],
)
def test_what_the_image_has_itself(project: Path, command: str, instead: str) -> None:
    found = list(host_files.told(command.format(project=project).split(), project))
    assert [line.partition(": ")[2] for line in found] == ([instead] if instead else [])
