"""Environments that were built, packed again to the same digest: here, and where nothing is."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.buildkit import docker_cli
from tests.e2e import sandboxes
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Site
from tests.e2e.sandboxes import TOOLS

# A backend that makes another wheel each time.
BACKEND = """\
import os, pathlib, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name, info = "odd-1.0-py3-none-any.whl", "odd-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as wheel:
        wheel.writestr("odd/native.so", os.urandom(8))
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: odd\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "odd/native.so,,\\n")
    return name
"""
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
MAIN = "import crcmod._crcfunext as fast\nprint(fast.__name__)\n"


class Packed(NamedTuple):
    desk: Desk
    laid_out: Any
    """By the native builder, with a wheel that BuildKit has built."""
    installed: Any
    """As a whole by BuildKit."""


@pytest.fixture(scope="module")
def packed(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packed]:
    root = tmp_path_factory.mktemp("packed")
    sandbox = sandboxes.with_packages(Path(__file__).with_name("sources.txt"))
    builder = site.stack.known["buildkitd"]["address"]
    with pytest.MonkeyPatch.context() as patch:
        docker_cli(root / "cli", patch)
        desk = Desk(root, site, environment(sandbox, root / "cache"))
        desk.write("main.py", MAIN)
        command = ("--", "python", "main.py")
        laid_out = desk.json("pack", "--builder", builder, *command)
        installed = desk.json("pack", "--builder", f"buildkit+{builder}", *command)
        yield Packed(desk, laid_out, installed)


@pytest.fixture
def elsewhere(packed: Packed, site: Site, tmp_path: Path) -> Desk:
    """Another machine: no such project, sandbox, wheel, cache or state."""
    empty = sandboxes.empty(tmp_path / "venv")
    kept = {name: packed.desk.env[name] for name in ("DOCKER_CONFIG", "BUILDX_CONFIG")}
    path = packed.desk.env["PATH"].replace(packed.desk.env["VIRTUAL_ENV"], str(empty))
    own = {**environment(empty, tmp_path / "cache"), **kept, "PATH": path}
    own["SENDOFF_BUILDER"] = site.stack.known["buildkitd"]["address"]
    return Desk(tmp_path, site, own)


def test_a_wheel_that_was_built_is_built_again_elsewhere(packed: Packed, elsewhere: Desk) -> None:
    (digest,) = packed.laid_out["images"]
    report = elsewhere.json("reproduce", digest, "--level", "L1")
    assert (report["holds"], report["level"]) == (True, "L1"), report


def test_what_buildkit_has_installed_it_installs_again(packed: Packed, elsewhere: Desk) -> None:
    (digest,) = packed.installed["images"]
    assert digest != packed.laid_out["images"][0]
    assert elsewhere.json("show", digest)["labels"]["builder"] == "buildkit"
    report = elsewhere.json("reproduce", digest, "--level", "L1")
    assert (report["holds"], report["level"]) == (True, "L1"), report


def test_without_a_builder_there_it_is_said(packed: Packed, elsewhere: Desk) -> None:
    for name in (packed.laid_out, packed.installed):
        refused = elsewhere.json(
            "reproduce", name["images"][0], "--level", "L1", SENDOFF_BUILDER="native"
        )
        assert refused["code"] == "BUILDER_NEEDED", refused
        assert "--level L2" in refused["fix"]


def test_a_build_that_repeats_itself_never_is_the_first_difference(
    packed: Packed, elsewhere: Desk, tmp_path: Path
) -> None:
    source = tmp_path / "odd-1.0.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        for name, text in (("pyproject.toml", PYPROJECT), ("backend.py", BACKEND)):
            member = tarfile.TarInfo(f"odd-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    venv = sandboxes.empty(tmp_path / "odd")
    install = [str(TOOLS / "uv"), "pip", "install", "-q", "--python", str(venv)]
    subprocess.run([*install, str(source)], check=True)
    path = packed.desk.env["PATH"].replace(packed.desk.env["VIRTUAL_ENV"], str(venv))
    packing = {
        "VIRTUAL_ENV": str(venv),
        "PATH": path,
        "SENDOFF_BUILDER": elsewhere.env["SENDOFF_BUILDER"],
    }
    (digest,) = packed.desk.json("pack", "--", "python", "main.py", **packing)["images"]
    done = elsewhere("reproduce", digest, "--level", "L1", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 3, report
    assert (report["holds"], report["level"]) == (False, "")
    assert report["difference"]["what"] == "environment"
    assert "odd-1.0-py3-none-any.whl, built from odd-1.0.tar.gz" in report["difference"]["detail"]
    assert report["failure"]["code"] == "ENV_DRIFT"
    assert "--level L2" in report["failure"]["fix"]
