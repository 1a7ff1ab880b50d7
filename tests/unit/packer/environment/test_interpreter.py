"""Finding the sandbox's interpreter, and what it says of itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from packer.environment import interpreter
from packer.errors import EnvironmentGone, FreeThreaded, PythonMismatch, PythonNotFound


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return tmp_path / "bin"


def program(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


def test_the_order_in_which_it_is_looked_for(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PythonNotFound):
        interpreter.find()
    three = program(path / "python3", "exit 1")
    assert interpreter.find() == three
    plain = program(path / "python", "exit 1")
    assert interpreter.find() == plain
    active = program(tmp_path / "venv" / "bin" / "python", "exit 1")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    assert interpreter.find() == active
    assert interpreter.find("python3") == three
    assert interpreter.find(str(three)) == three
    with pytest.raises(PythonNotFound) as refused:
        interpreter.find("python9.9")
    assert refused.value.code == "PYTHON_NOT_FOUND"


@pytest.mark.parametrize("left", ["nothing", "a dangling link"])
def test_an_active_environment_that_is_gone_is_not_replaced_by_another(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    program(path / "python", "exit 1")
    gone = tmp_path / "venv" / "bin" / "python"
    if left == "a dangling link":
        gone.parent.mkdir(parents=True)
        gone.symlink_to("/nowhere/python")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    with pytest.raises(EnvironmentGone, match=str(gone)) as refused:
        interpreter.find()
    assert "VIRTUAL_ENV" in refused.value.why()
    monkeypatch.setenv("VIRTUAL_ENV", "")
    assert interpreter.find() == path / "python"


def venv(place: Path, line: str = "") -> Path:
    """The interpreter of a virtual environment that runs `line` at each start."""
    base = Path(getattr(sys, "_base_executable", sys.executable))
    python = place / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(base)
    (place / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
    site = place / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    (site / "at_start.pth").write_text(f"import sys; {line}\n")
    return python


def test_it_is_asked_once_and_again_when_it_changes(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    python = venv(tmp_path / "venv", f"print('noise'); print(file=open({str(asked)!r}, 'a'))")
    os.utime(tmp_path / "venv" / "pyvenv.cfg", (1, 1))
    first = interpreter.describe(python, tmp_path / "cache")
    assert first.version == ".".join(map(str, sys.version_info[:3]))
    assert first.cache_tag == sys.implementation.cache_tag
    assert first.site_dirs
    # Python reads the .pth files of a virtual environment twice.
    once = asked.read_text()
    assert interpreter.describe(python, tmp_path / "cache") == first
    assert asked.read_text() == once
    os.utime(tmp_path / "venv" / "pyvenv.cfg", (2, 2))
    assert interpreter.describe(python, tmp_path / "cache") == first
    assert asked.read_text() == once * 2


@pytest.mark.parametrize("kind", ["a script", "a link to a program", "a script of pyenv"])
def test_a_shim_is_the_interpreter_that_it_starts_here_and_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """asdf's shims are scripts, those of mise and rye are links to one program."""
    choice = ".python-version" if "pyenv" in kind else ".tool-versions"
    text = f'exec "$(cat "$PWD/{choice}")/bin/python" "$@"'
    shim = tmp_path / "shims" / "python"
    if kind == "a link to a program":
        shim.parent.mkdir()
        shim.symlink_to(program(tmp_path / "manager", text))
    else:
        program(shim, f"export PYENV_ROOT={tmp_path}; {text}" if "pyenv" in kind else text)
    for name in ("a", "b"):
        venv(tmp_path / "versions" / name)
        (tmp_path / name).mkdir()
        (tmp_path / name / choice).write_text(str(tmp_path / "versions" / name))
    for name in ("a", "b", "a"):
        monkeypatch.chdir(tmp_path / name)
        found = interpreter.describe(shim, tmp_path / "cache")
        assert found.prefix == str(tmp_path / "versions" / name)
    (tmp_path / "a" / choice).write_text(str(tmp_path / "versions" / "b") + "/")
    assert interpreter.describe(shim, tmp_path / "cache").prefix == str(tmp_path / "versions" / "b")


def test_a_shim_of_pyenv_is_asked_once_for_a_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, root = tmp_path / "asked", tmp_path / "pyenv"
    venv(root / "versions" / "3")
    start = f'echo >> {asked}; exec "$PYENV_ROOT/versions/3/bin/python" "$@"'
    shim = program(root / "shims" / "python", f"export PYENV_ROOT={root}; {start}")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    first = interpreter.describe(shim, tmp_path / "cache")
    assert interpreter.describe(shim, tmp_path / "cache") == first
    assert asked.read_text() == "\n"
    for count, changed in enumerate((root / "version", root / "versions" / "3.1"), 2):
        changed.mkdir()
        assert interpreter.describe(shim, tmp_path / "cache") == first
        assert asked.read_text() == "\n" * count


def test_a_torn_memory_is_not_believed(tmp_path: Path) -> None:
    first = interpreter.describe(Path(sys.executable), tmp_path)
    (memory,) = (tmp_path / "interpreters").glob("*.json")
    memory.write_bytes(memory.read_bytes()[:50])
    assert interpreter.describe(Path(sys.executable), tmp_path) == first


def test_one_that_does_not_run_is_named(path: Path, tmp_path: Path) -> None:
    python = program(path / "python", "echo broken >&2; exit 1")
    with pytest.raises(PythonNotFound) as refused:
        interpreter.describe(python, tmp_path)
    assert "broken" in json.dumps(refused.value.as_dict())


@pytest.mark.parametrize(
    ("differing", "error", "remedy"),
    [
        ({"version": "3.8.18"}, PythonMismatch, "uv venv --python 3.12"),
        ({"implementation": "PyPy"}, PythonMismatch, "uv venv --python 3.12"),
        ({"version": "3.14.2", "free_threaded": True}, FreeThreaded, "uv venv --python 3.14+gil"),
    ],
)
def test_one_whose_environment_no_image_can_have_is_refused(
    path: Path,
    tmp_path: Path,
    differing: dict[str, object],
    error: type[PythonMismatch],
    remedy: str,
) -> None:
    answer = interpreter.describe(Path(sys.executable), tmp_path)
    said = {name: getattr(answer, name) for name in answer.__struct_fields__}
    (tmp_path / "answer").write_text(json.dumps({**said, **differing}))
    python = program(
        path / "python", f"/usr/bin/printf '\\0sendoff\\0'; /bin/cat {tmp_path}/answer"
    )
    with pytest.raises(error) as refused:
        interpreter.describe(python, tmp_path / "cache")
    assert refused.value.code == "PYTHON_MISMATCH"
    assert refused.value.fix().endswith(remedy)
    assert not list((tmp_path / "cache").rglob("*.json"))


def test_a_free_threaded_build_is_told_by_its_configuration(tmp_path: Path) -> None:
    """The real question, to an interpreter that says of itself that it has no global lock."""
    name = "from sysconfig import get_config_vars as known; known().update(Py_GIL_DISABLED=1)"
    with pytest.raises(FreeThreaded, match=r"free-threaded CPython 3\."):
        interpreter.describe(venv(tmp_path / "venv", name), tmp_path / "cache")
