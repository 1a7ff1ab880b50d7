"""Asking indexes and fetching from them: settings, faults, and what is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.environment import interpreter, materials
from packer.environment.sandbox import Sandbox
from packer.progress import SILENT
from packer.reproduction.errors import BuiltElsewhere
from packer.reproduction.wheels import Wheels
from packer.wheels.errors import NoWheelForTarget, WheelHashMismatch, WheelUnavailable
from tests.e2e.desk import SENDOFF, Desk, environment
from tests.e2e.environment.conftest import CLOSED, Index, Packing, Venv, wheel
from tests.indexes import Indexes

# Whoever starts the tests in a script's background, or by nohup, has Ctrl-C ignored.
DEFAULT_SIGNALS = (
    "import os, signal, sys; "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture
def venv(tmp_path: Path, index: Index) -> Venv:
    """A sandbox with `one` and `two` from the index."""
    made = Venv(tmp_path / "venv")
    for name in ("one", "two"):
        index.add(wheel(tmp_path / "wheels", name))
    made.install("--index-url", index.url + "/simple", "one", "two")
    return made


def test_no_index_is_said_and_installed_files_are_packed(
    tmp_path: Path, packing: Packing, venv: Venv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    began = time.monotonic()
    resolved = packing.resolve(venv.python, tmp_path / "project")
    assert time.monotonic() - began < 10
    assert [(pin.name, pin.origin) for pin in resolved.lock.files] == [
        ("one", "no index answered"),
        ("two", "no index answered"),
    ]
    (warning,) = resolved.report.warnings
    assert warning.startswith("no index answered, installed files are packed, and the digest is ")
    assert resolved.report.without_index
    # Once an index is named, it is asked.
    monkeypatch.undo()


def test_a_wheel_that_could_not_be_read_is_said_and_looked_for_again(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    index.failing.add("one-1.0-py3-none-any.whl")
    resolved = packing.resolve(venv.python, tmp_path / "project")
    assert [pin.name for pin in resolved.lock.wheels] == ["two"]
    (warning,) = resolved.report.warnings
    assert warning.startswith("what there is of one could not be read, installed files are packed")
    assert resolved.report.without_index
    index.failing.clear()
    # It is soon no longer believed; to have that be now, its time is set back.
    (place,) = (packing.cache / "environments").glob("*.json")
    remembered = json.loads(place.read_bytes())
    assert time.time() < remembered["good_until"] < time.time() + 3600
    place.write_text(json.dumps({**remembered, "good_until": 1}))
    again = packing.resolve(venv.python, tmp_path / "project")
    assert [pin.name for pin in again.lock.wheels] == ["one", "two"]
    assert not again.report.warnings


def test_a_wheel_of_an_index_that_uvs_file_has_the_login_of(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    settings = tmp_path / "uv.toml"
    settings.write_text(f'[[index]]\nurl = "{CLOSED}"\ndefault = true\n')
    assert packing.resolve(venv.python, tmp_path / "project").report.without_index
    with Indexes() as served:
        for name, data in index.wheels.items():
            served.add("simple", name, data)
        served.logins["simple"] = "me:word"
        url = served.url.replace("://", "://me:word@") + "/simple"
        settings.write_text(f'[[index]]\nurl = "{url}"\ndefault = true\n')
        resolved = packing.resolve(venv.python, tmp_path / "project")
        fetched = dict(resolved.fetch(resolved.lock.wheels))
    assert {path.name: path.read_bytes() for path in fetched.values()} == index.wheels
    assert not resolved.report.warnings


def test_a_wheel_once_found_needs_no_index(
    tmp_path: Path, packing: Packing, venv: Venv, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = packing.resolve(venv.python, tmp_path / "project")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    (venv.site / "new.py").write_text("")
    second = packing.resolve(venv.python, tmp_path / "project")
    assert second.lock.wheels == first.lock.wheels
    assert not second.lock.files


def test_one_that_the_index_lacks_does_not_keep_others_from_it(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    venv.install("--index-url", index.url + "/simple", "--no-deps", wheel(tmp_path / "x", "absent"))
    (venv.site / "absent-1.0.dist-info" / "direct_url.json").unlink()
    resolved = packing.resolve(venv.python, tmp_path / "project")
    assert [pin.name for pin in resolved.lock.wheels] == ["one", "two"]
    (pin,) = resolved.lock.files
    assert (pin.name, pin.origin) == ("absent", "the index has no wheel of version 1.0")


def test_another_build_of_the_same_version_is_not_taken_for_it(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    index.add(wheel(tmp_path / "other", "one", files={"one/__init__.py": "value = 'other'\n"}))
    resolved = packing.resolve(venv.python, tmp_path / "project")
    assert [pin.name for pin in resolved.lock.wheels] == ["two"]
    (pin,) = resolved.lock.files
    assert pin.origin == "no wheel of the index holds what is installed"


def test_altered_wheels_are_refused_and_none_is_kept(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    resolved = packing.resolve(venv.python, tmp_path / "project")
    wheels = packing.cache / "wheels"
    for path in wheels.glob("*/*.whl"):
        path.unlink()
    index.wheels["one-1.0-py3-none-any.whl"] += b"more"
    with pytest.raises(WheelHashMismatch) as refused:
        dict(resolved.fetch(resolved.lock.wheels))
    assert refused.value.code == "WHEEL_HASH_MISMATCH"
    assert refused.value.filename == "one-1.0-py3-none-any.whl"
    assert not list(wheels.glob("*/one-*"))
    assert not list((wheels / ".incoming").iterdir())


def test_a_broken_download_goes_on(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    resolved = packing.resolve(venv.python, tmp_path / "project")
    for path in (packing.cache / "wheels").glob("*/*.whl"):
        path.unlink()
    index.cut = set(index.wheels)
    fetched = dict(resolved.fetch(resolved.lock.wheels))
    assert not index.cut
    assert {path.name: path.read_bytes() for path in fetched.values()} == index.wheels


def test_a_wheel_whose_address_is_gone_is_looked_for_in_the_index(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    one, two = packing.resolve(venv.python, tmp_path / "project").lock.wheels
    for path in (packing.cache / "wheels").glob("*/*.whl"):
        path.unlink()
    local = tmp_path / two.filename
    local.write_bytes(index.wheels.pop(two.filename))
    gone = replace(one, url=f"{index.url}/files/gone/{one.filename}")
    elsewhere = replace(two, url=local.as_uri())
    found = interpreter.describe(venv.python, packing.cache)
    wheels = Wheels(found, tmp_path, packing.cache, SILENT)
    fetched = dict(wheels.fetch((gone, elsewhere)))
    assert {sha256: path.name for sha256, path in fetched.items()} == {
        one.sha256: one.filename,
        two.sha256: two.filename,
    }
    index.wheels.clear()
    for path in fetched.values():
        path.unlink()
    with pytest.raises(WheelUnavailable):
        dict(wheels.fetch((gone, elsewhere)))
    with pytest.raises(BuiltElsewhere):
        dict(wheels.fetch((replace(one, url=""),)))


def test_ctrl_c_waits_for_no_index_that_says_nothing(
    tmp_path: Path, venv: Venv, index: Index
) -> None:
    desk = Desk(
        tmp_path / "desk", {**environment(venv.path), "PIP_INDEX_URL": index.url + "/simple"}
    )
    desk.write("train.py", "")
    desk.done("pack", "--dry-run")
    for path in desk.home.rglob("*.whl"):
        path.unlink()
    index.stall = threading.Event()
    command = (str(venv.python), "-c", DEFAULT_SIGNALS, SENDOFF, "pack")
    with subprocess.Popen(
        command, cwd=desk.project, env=desk.env, stderr=subprocess.PIPE
    ) as packing:
        try:
            assert index.stalled.wait(30)
            began = time.monotonic()
            packing.send_signal(signal.SIGINT)
            packing.communicate(timeout=30)
            assert packing.returncode == 130
            assert time.monotonic() - began < 5
        finally:
            index.stall.set()
            packing.kill()


def test_a_slow_index_is_told_of(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    index.hold = threading.Event()
    told: list[str] = []

    class Listener:
        def start(self, what: str, total: int = 0) -> None:  # noqa: ARG002 (the protocol's)
            told.append(what)
            # Only now may the index answer: had nothing been said, this would never end.
            if what.startswith("asking the index"):
                index.hold.set()

        def advance(self, amount: int) -> None:
            pass

        def done(self, note: str = "") -> None:
            pass

    resolved = packing.resolve(venv.python, tmp_path / "project", Listener())
    assert len(resolved.lock.wheels) == 2
    assert "asking the index for 2 distributions" in told


def test_another_platform_gets_its_wheel_or_a_refusal(
    tmp_path: Path, packing: Packing, venv: Venv, index: Index
) -> None:
    index.add(wheel(tmp_path / "wheels", "bound", files={"bound/core.so": "elf"}))
    venv.install("--index-url", index.url + "/simple", "bound")
    found = interpreter.describe(venv.python, packing.cache)
    sandbox = Sandbox(
        interpreter=found, project=tmp_path, cache=packing.cache, platform="linux/arm64"
    )
    lock = materials.resolve(sandbox, SILENT).lock
    assert (lock.platform, len(lock.wheels)) == ("linux/arm64", 3)
    del index.wheels["bound-1.0-py3-none-any.whl"]
    (venv.site / "touched.py").write_text("")
    with pytest.raises(NoWheelForTarget) as refused:
        materials.resolve(sandbox, SILENT)
    assert refused.value.code == "NO_WHEEL_FOR_TARGET"
    assert (refused.value.distributions[0].name, refused.value.target) == ("bound", "linux/arm64")


def test_pythonpath_is_said_not_to_go_along(
    tmp_path: Path, packing: Packing, venv: Venv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (warning,) = packing.resolve(venv.python, tmp_path / "project").report.warnings
    assert warning.startswith("PYTHONPATH is set here")
