from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from packer import cautions
from packer.environment import interpreter
from packer.environment.environment_report import PYTHONPATH_STAYS
from packer.pack_request import Command, PackRequest

if TYPE_CHECKING:
    import pytest


def test_a_pythonpath_that_goes_along_is_no_news(tmp_path: Path) -> None:
    python = interpreter.describe(interpreter.find(), tmp_path / "cache")
    request = PackRequest(project=tmp_path, layout=tmp_path, cache=tmp_path, python="python")
    known = ("one", PYTHONPATH_STAYS)
    assert cautions.of(request, python, known) == known
    given = Command(environment={"PYTHONPATH": "lib"})
    one, both = ((given, Command()), (given, given))
    for commands, expected in ((one, known), (both, ("one",))):
        asked = msgspec.structs.replace(request, commands=commands)
        assert cautions.of(asked, python, known) == expected


def test_an_environment_beside_that_is_not_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    python = interpreter.describe(interpreter.find(), tmp_path / "cache")
    request = PackRequest(project=tmp_path, layout=tmp_path, cache=tmp_path)
    assert cautions.of(request, python, ()) == ()
    own = tmp_path / ".venv/bin/python"
    own.parent.mkdir(parents=True)
    own.symlink_to(python.executable)
    (warning,) = cautions.of(request, python, ())
    assert warning.startswith(f"{python.executable} was packed; {tmp_path}/.venv is there")
    assert warning.endswith(f"--python {own}")
    # What is asked for by name is meant, and so is an environment that is active.
    assert cautions.of(msgspec.structs.replace(request, python="python"), python, ()) == ()
    itself = msgspec.structs.replace(python, prefix=str(tmp_path / ".venv"))
    assert cautions.of(request, itself, ()) == ()
    monkeypatch.setenv("VIRTUAL_ENV", "/another")
    assert cautions.of(request, python, ()) == ()
