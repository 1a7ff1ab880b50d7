"""What is remembered: what it saves, when it no longer holds, and what faults leave of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from packer.environment import sweep
from packer.environment.lock import Lock
from packer.record import decode
from packer.wheels.errors import WheelUnavailable
from tests.e2e.environment.conftest import Index, Packing, Venv, wheel

RESOLVE = """
import json, sys
from pathlib import Path
from packer import record
from packer.environment import interpreter, materials
from packer.progress import SILENT
from packer.environment.sandbox import Sandbox
python, project, cache = map(Path, sys.argv[1:4])
found = interpreter.describe(python, cache)
sandbox = Sandbox(interpreter=found, project=project, cache=cache)
resolved = materials.resolve(sandbox, SILENT)
print(json.dumps({"lock": record.encode(resolved.lock).decode(), "loaded": sorted(sys.modules)}))
"""
HEAVY = {"packaging", "urllib3", "importlib.metadata", "tenacity", "tomllib", "pathspec", "zipfile"}


@pytest.fixture
def venv(tmp_path: Path, index: Index) -> Venv:
    made = Venv(tmp_path / "venv")
    for number in range(6):
        index.add(wheel(tmp_path / "wheels", f"part{number}"))
    made.install("--index-url", index.url + "/simple", *(f"part{number}" for number in range(6)))
    for path in made.path.rglob("*"):
        # As if it had been installed a while ago: what is fresh is looked at twice.
        if not path.is_symlink():
            os.utime(path, (1_700_000_000, 1_700_000_000))
    (tmp_path / "project").mkdir()
    return made


def command(venv: Venv, tmp_path: Path, cache: Path) -> list[str | Path]:
    return [sys.executable, "-c", RESOLVE, venv.python, tmp_path / "project", cache]


def lock(output: str) -> Lock:
    return decode(json.loads(output)["lock"], Lock)


def test_an_unchanged_environment_loads_nothing_heavy_and_asks_nobody(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    first = packing.resolve(venv.python, tmp_path / "project")
    index.asked.clear()
    done = subprocess.run(
        command(venv, tmp_path, packing.cache), capture_output=True, text=True, check=True
    )
    assert lock(done.stdout) == first.lock
    assert not HEAVY & set(json.loads(done.stdout)["loaded"])
    assert not index.asked


@pytest.mark.parametrize("alone", [True, False])
def test_every_change_by_hand_is_noticed(
    tmp_path: Path, packing: Packing, venv: Venv, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not alone:
        monkeypatch.setattr(sweep, "ALONE", 0)
    project = tmp_path / "project"
    before = packing.resolve(venv.python, project).lock
    assert packing.resolve(venv.python, project).lock == before
    module = venv.site / "part0" / "__init__.py"
    content = module.read_text()
    inode = module.stat().st_ino
    # In place and of the same length: the directory does not tell.
    with module.open("r+") as stream:
        stream.write(content.replace("1.0", "2.0"))
    assert module.stat().st_ino == inode
    changed = packing.resolve(venv.python, project).lock
    assert [file.path.rpartition("/")[2] for file in changed.overlay] == ["__init__.py"]
    with module.open("r+") as stream:
        stream.write(content)
    assert packing.resolve(venv.python, project).lock == before
    (venv.site / "part1" / "extra.py").write_text("")
    assert len(packing.resolve(venv.python, project).lock.overlay) == 1
    (venv.site / "part1" / "extra.py").unlink()
    (venv.site / "part2" / "__init__.py").unlink()
    assert len(packing.resolve(venv.python, project).lock.removed) == 1


def test_two_at_once_end_with_the_same_lock(tmp_path: Path, packing: Packing, venv: Venv) -> None:
    started = [
        subprocess.Popen(command(venv, tmp_path, packing.cache), stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    locks = [lock(each.communicate()[0]) for each in started]
    assert (
        locks[0] == locks[1] == locks[2] == packing.resolve(venv.python, tmp_path / "project").lock
    )
    assert len(locks[0].wheels) == 6


def test_a_killed_one_leaves_nothing_that_is_believed(
    tmp_path: Path, packing: Packing, venv: Venv
) -> None:
    whole = Packing(tmp_path / "undisturbed").resolve(venv.python, tmp_path / "project").lock
    for delay in (0.1, 0.2, 0.3, 0.45, 0.6, 0.8):
        started = subprocess.Popen(
            command(venv, tmp_path, packing.cache), stdout=subprocess.DEVNULL
        )
        # The moment is what the test is about: there is nothing else to wait for.
        time.sleep(delay)
        started.send_signal(signal.SIGKILL)
        started.wait()
        assert packing.resolve(venv.python, tmp_path / "project").lock == whole
    for path in packing.cache.rglob("*.json"):
        json.loads(path.read_bytes())


def test_torn_and_foreign_files_in_the_cache_are_not_believed(
    tmp_path: Path, packing: Packing, venv: Venv
) -> None:
    project = tmp_path / "project"
    before = packing.resolve(venv.python, project).lock
    for path in [path for path in packing.cache.rglob("*") if path.is_file()]:
        # Marks go when newer ones are made.
        if path.suffix in {".json", ".marks"} and path.exists():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            assert packing.resolve(venv.python, project).lock == before


def test_a_kept_wheel_of_no_index_that_is_damaged_is_found_again_the_next_time(
    tmp_path: Path, packing: Packing
) -> None:
    local = wheel(tmp_path / "wheels", "local")
    made = Venv(tmp_path / "venv")
    made.install("--no-index", local)
    (tmp_path / "project").mkdir()
    resolved = packing.resolve(made.python, tmp_path / "project")
    (pin,) = resolved.lock.wheels
    kept = dict(resolved.fetch((pin,)))[pin.sha256]
    kept.write_bytes(b"")
    with pytest.raises(WheelUnavailable):
        dict(resolved.fetch((pin,)))
    again = packing.resolve(made.python, tmp_path / "project")
    assert dict(again.fetch((pin,)))[pin.sha256].read_bytes() == local.read_bytes()
