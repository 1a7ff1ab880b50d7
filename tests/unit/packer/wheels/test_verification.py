"""What was hashed once is believed for as long as it is that file, and no longer."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from packer.digest import Digest
from packer.environment.lock import WheelPin
from packer.progress import SILENT
from packer.project import file_cache
from packer.wheels import verification
from packer.wheels.errors import WheelHashMismatch
from packer.wheels.wheelhouse import Wheelhouse

SIZE = 2 << 20


@pytest.fixture
def hashed(monkeypatch):
    """The files that are hashed, in their order."""
    seen: list[Path] = []
    of_file = Digest.of_file

    def counting(path: Path) -> Digest:
        seen.append(path)
        return of_file(path)

    monkeypatch.setattr(Digest, "of_file", staticmethod(counting))
    return seen


@pytest.fixture
def wheel(tmp_path: Path) -> tuple[WheelPin, Path]:
    """One that was fetched."""
    original = tmp_path / "a.whl"
    original.write_bytes(os.urandom(SIZE))
    pin = WheelPin(name="a", version="1", filename="a-1-py3-none-any.whl", sha256="", size=0)
    house = Wheelhouse(root=tmp_path / "wheels")
    pin = msgspec.structs.replace(house.adopt(pin, original.as_uri()), url=original.as_uri())
    return pin, dict(house.fetch([pin], SILENT))[pin.sha256]


def test_what_was_hashed_as_it_came_is_not_hashed_again(wheel, hashed):
    verification.verify(*wheel)
    assert not hashed


def test_one_that_was_written_to_is_hashed(wheel, hashed):
    pin, path = wheel
    stat = path.stat()
    with path.open("r+b") as stream:
        stream.write(b"other")
    # Whoever does so can set the time of modification, and not that of the change.
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(WheelHashMismatch):
        verification.verify(pin, path)
    assert hashed == [path]


def test_one_that_was_replaced_by_the_same_is_hashed_and_believed_from_then_on(
    wheel, hashed, monkeypatch
):
    pin, path = wheel
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    # As it is some time later.
    monkeypatch.setattr(file_cache, "_FINE", 0)
    for _ in range(2):
        verification.verify(pin, path)
    assert hashed == [path]


def test_one_changed_just_before_it_was_hashed_is_hashed_again(wheel, hashed):
    pin, path = wheel
    content = path.read_bytes()
    path.write_bytes(content)
    for _ in range(2):
        verification.verify(pin, path)
    assert hashed == [path, path]


@pytest.mark.parametrize("left", [b"", b"\x95", b"not a stamp"])
def test_a_damaged_stamp_says_nothing(wheel, hashed, left):
    pin, path = wheel
    (stamp,) = path.parent.glob("*.verified")
    stamp.write_bytes(left)
    verification.verify(pin, path)
    assert hashed == [path]


def test_the_stamp_of_another_wheel_says_nothing(wheel, hashed):
    pin, path = wheel
    with pytest.raises(WheelHashMismatch):
        verification.verify(msgspec.structs.replace(pin, sha256="0" * 64), path)
    assert hashed == [path]


def test_where_it_is_asked_for_all_is_hashed(wheel, hashed):
    verification.require(*wheel)
    assert hashed == [wheel[1]]
