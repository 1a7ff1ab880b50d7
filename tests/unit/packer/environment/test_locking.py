"""Locks of environments described by data, with the wheels of a real index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.environment import locking
from packer.environment.cuda import CudaWish
from packer.environment.resolver import Locked
from packer.environment.sandbox import Sandbox
from packer.progress import SILENT
from tests import indexes as played
from tests.described import description
from tests.indexes import LINUX, Indexes, wheel

COMPILED = {
    "cffi": "2.1.1",
    "markupsafe": "3.0.4",
    "numpy": "2.3.4",
    "pillow": "13.0.0",
    "sqlalchemy": "2.0.35",
    "wcwidth": "0.9.4",
}
"""What the package index has besides for linux/amd64."""


@pytest.fixture
def indexes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Indexes]:
    with Indexes() as served:
        played.pytorch(served)
        for name, version in COMPILED.items():
            for tag in (LINUX, LINUX.replace("x86_64", "aarch64")):
                served.add("simple", *wheel(name, version, tag))
        for name, value in played.settings(served).items():
            monkeypatch.setenv(name, value)
        yield served


def locked(name: str, folder: Path, served: Indexes, *lines: str) -> Locked:
    """The lock of a described environment for linux/amd64."""
    found = description.environment(name)
    here = replace(found.interpreter, executable=sys.executable)
    request = Sandbox(
        interpreter=here,
        project=folder,
        cache=folder,
        platform="linux/amd64",
        cuda=CudaWish(lines=lines, index=served.url + "/whl"),
    )
    return locking.draft(replace(found, interpreter=here), request, SILENT).locked


def test_an_arm64_sandbox_is_locked_whole_for_amd64_and_cuda(
    indexes: Indexes, tmp_path: Path
) -> None:
    found = locked("linux-arm64", tmp_path, indexes, "13.0", "12.8")
    lock, report = found.lock, found.report
    assert lock.platform == "linux/amd64"
    wheels = {pin.name: pin for pin in lock.wheels}
    assert COMPILED.items() <= {name: pin.version for name, pin in wheels.items()}.items()
    assert wheels["torch"].version == "2.9.1+cu130"
    assert wheels["nvidia-cuda-runtime"].version == "13.0.48"
    assert not [pin.filename for pin in lock.wheels if "aarch64" in pin.filename]
    assert report.retargeted
    assert (report.retargeted.source, report.retargeted.cuda) == ("linux/arm64", "13.0")
    assert not [each.name for each in report.arrivals if each.change == "no wheel"]
    # Everything is there, and nothing compiled arrives as its files.
    assert {each.name for each in report.arrivals} >= description.names(
        description.environment("linux-arm64")
    )
    assert not COMPILED.keys() & {pin.name for pin in lock.files}
