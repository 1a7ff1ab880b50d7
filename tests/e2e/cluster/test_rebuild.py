"""Environments that were built, packed again to the same digest: here, and where nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.buildkit import docker_cli
from tests.e2e import sandboxes
from tests.e2e.cluster.conftest import environment
from tests.e2e.cluster.desk import Desk, Site

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
