"""Wheels on the disk: whole or not there, also where the disk is full."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from packer.environment.lock import WheelPin
from packer.errors import DiskFull
from packer.progress import SILENT
from packer.wheels.errors import WheelUnavailable
from packer.wheels.wheelhouse import Wheelhouse

PIN = WheelPin(name="a", version="1", filename="a-1-py3-none-any.whl", sha256="", size=0)


def test_an_adopted_wheel_stays(tmp_path: Path) -> None:
    original = tmp_path / "a b.whl"
    original.write_bytes(b"content")
    house = Wheelhouse(root=tmp_path / "wheels")
    pin = house.adopt(PIN, original.as_uri())
    original.unlink()
    assert (pin.sha256, pin.size) == (hashlib.sha256(b"content").hexdigest(), 7)
    assert dict(house.fetch([pin], SILENT))[pin.sha256].read_bytes() == b"content"


@pytest.mark.parametrize("left", [b"", b"cont", b"content and more"])
@pytest.mark.parametrize("size", [7, 0])
def test_one_that_is_cut_short_is_fetched_anew(tmp_path: Path, left: bytes, size: int) -> None:
    """So a machine leaves what it had not yet written when it was killed."""
    original = tmp_path / "a.whl"
    original.write_bytes(b"content")
    house = Wheelhouse(root=tmp_path / "wheels")
    adopted = house.adopt(PIN, original.as_uri())
    pin = msgspec.structs.replace(adopted, url=original.as_uri(), size=size)
    assert house.has(pin)
    house.path(pin).write_bytes(left)
    # Of an unknown size, only what is empty is known to be none.
    seen = bool(size) or not left
    assert house.has(pin) == (not seen)
    expected = b"content" if seen else left
    assert dict(house.fetch([pin], SILENT))[pin.sha256].read_bytes() == expected


def test_one_that_came_from_no_index_and_is_gone_is_named(tmp_path: Path) -> None:
    original = tmp_path / "a.whl"
    original.write_bytes(b"content")
    house = Wheelhouse(root=tmp_path / "wheels")
    pin = house.adopt(PIN, original.as_uri())
    house.path(pin).write_bytes(b"")
    with pytest.raises(WheelUnavailable, match="no index") as refused:
        dict(house.fetch([pin], SILENT))
    assert refused.value.filename == pin.filename


def test_one_that_is_gone_is_named(tmp_path: Path) -> None:
    house = Wheelhouse(root=tmp_path / "wheels")
    with pytest.raises(WheelUnavailable) as refused:
        house.adopt(PIN, (tmp_path / "gone.whl").as_uri())
    assert refused.value.filename == "gone.whl"
    assert not list((tmp_path / "wheels" / ".incoming").iterdir())


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    house = Wheelhouse(root=tmp_path / "wheels")

    def fill() -> None:
        with house.receiving("a.whl") as receiving, Path("/dev/full").open("wb") as full:
            os.dup2(full.fileno(), receiving.fileno())
            receiving.write(bytes(1 << 21))

    with pytest.raises(DiskFull) as refused:
        fill()
    assert refused.value.code == "DISK_FULL"
    assert refused.value.__cause__.errno == errno.ENOSPC
    assert not list((tmp_path / "wheels" / ".incoming").iterdir())
