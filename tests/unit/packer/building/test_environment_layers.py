"""Where a whole environment is laid out for BuildKit; that it installs it: tests/e2e/wheels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packer.building.environment_layers import BuildKitLayers
from packer.buildkit import address
from packer.buildkit.builder import Builder
from packer.digest import Digest
from packer.environment.lock import Lock, WheelPin
from packer.errors import DiskFull
from packer.images.base import Base
from packer.images.layout import Layout
from packer.progress import SILENT
from tests import file_systems

MB = 1 << 20


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with file_systems.small(tmp_path / "small", "2m") as folder:
        yield folder


def test_a_full_disk_is_that_of_the_cache_and_keeps_nothing(
    small: Path, tmp_path: Path, make_wheel: Callable[..., tuple[WheelPin, Path]]
) -> None:
    pin, path = make_wheel({"foo/data.bin": os.urandom(4 * MB)})
    builder = Builder(address.parse("unix:///nowhere"), small / "cache")
    base = Base(
        digest=Digest.of(b"base"),
        repository="registry.example/base",
        platform="linux/amd64",
        layers=(),
        python="/usr/bin/python3",
        python_version="3.11.2",
    )
    lock = Lock(python="3.11.2", platform="linux/amd64", wheels=(pin,))
    layers = BuildKitLayers(builder, base)
    with pytest.raises(DiskFull) as caught:
        layers.layers(
            lock, {}, lambda _: iter([(pin.sha256, path)]), Layout(tmp_path / "layout"), SILENT
        )
    assert caught.value.where == str(small / "cache" / "work")
    # As it was when there was no more, and not once what had been copied was gone.
    assert caught.value.free < MB
    assert os.statvfs(small).f_bavail * os.statvfs(small).f_frsize > MB
