"""What is left when packing ends too early."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packer.errors import DiskFull
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT
from tests import file_systems

WHEELS = ("scipy", "numpy", "pandas", "networkx", "rich", "pyyaml")


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        os.sched_yield()


def blobs(root: Path) -> list[Path]:
    folder = root / "layout" / "blobs" / "sha256"
    return list(folder.iterdir()) if folder.exists() else []


def workers_of(pid: int) -> list[str]:
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"\nPPid:\t{pid}\n" in text:
            found.append(status.parent.name)
    return found


@pytest.mark.parametrize("finished", [0, 1, 3])
def test_a_killed_build_leaves_nothing_that_is_believed(building, tmp_path, finished):
    root = tmp_path / "killed"
    process = building.start(root, *WHEELS)
    incoming = root / "layout" / ".incoming"
    until(lambda: incoming.exists() and any(incoming.iterdir()), process)
    until(lambda: len(blobs(root)) >= finished and bool(workers_of(process.pid)), process)
    workers = workers_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for blob in blobs(root):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    # Kept bytecode is believed only where a layer comes out of it as it was.
    kept = (root / "memory").glob("*")
    known = [path for path in kept if path.is_file() and path.suffix != ".bytecode"]
    assert len(known) <= len(blobs(root))
    deadline = time.monotonic() + 30
    while any(Path("/proc", worker, "exe").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its build"
    assert building.layers(root, *WHEELS) == building.layers(tmp_path / "whole", *WHEELS)
    assert not any(incoming.iterdir())


def test_two_at_once_end_with_the_same_layers(building, tmp_path):
    root = tmp_path / "both"
    other = building.start(root, *WHEELS)
    layers = building.layers(root, *WHEELS)
    out, said = other.communicate()
    assert not other.returncode, said
    assert out.decode().replace(" ", "") == str(layers).replace("'", '"').replace(" ", "")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with 24 MB of room."""
    with file_systems.small(tmp_path / "disk", "24m") as folder:
        yield folder


def test_a_full_disk_is_named_and_nothing_is_left(scientific_wheels, python, small_disk):
    wheels = scientific_wheels.only("rich", "scipy")
    layout, memory = Layout(small_disk / "layout"), small_disk / "memory"
    with pytest.raises(DiskFull) as caught:
        build_layers(wheels.lock, {}, wheels.fetch, python, layout, memory, SILENT)
    assert caught.value.code == "DISK_FULL"
    assert not any((small_disk / "layout" / ".incoming").iterdir())
    for blob in blobs(small_disk):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    rich = scientific_wheels.only("rich")
    (layer,) = build_layers(rich.lock, {}, rich.fetch, python, layout, memory, SILENT)
    layout.verify(layer.digest)
