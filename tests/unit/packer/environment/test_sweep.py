"""A sweep tells that nothing changed, or that something may have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from packer.environment import sweep

LONG_AGO = 1_700_000_000_123_456_789


@pytest.fixture(params=["alone", "helped"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "helped":
        monkeypatch.setattr(sweep, "ALONE", 0)
    place = tmp_path / "folder"
    place.mkdir()
    for name in ("a", "b", "odd\udcff name\n"):
        (place / name).write_text("content")
        os.utime(place / name, ns=(LONG_AGO, LONG_AGO))
    return place


def unchanged(folder: Path) -> bool:
    return sweep.Sweep(folder.parent / "marks").unchanged()


def remember(folder: Path, now: int = 2 * LONG_AGO) -> None:
    paths = [*folder.iterdir(), folder / "absent"]
    seen = {str(path): sweep.stamp(path) for path in paths}
    sweep.remember(folder.parent / "marks", seen, now)


def test_nothing_changed(folder: Path) -> None:
    remember(folder)
    assert unchanged(folder)


@pytest.mark.parametrize("name", ["a", "b", "odd\udcff name\n"])
def test_a_file_written_in_place(folder: Path, name: str) -> None:
    remember(folder)
    with (folder / name).open("r+") as stream:
        stream.write("CONTENT")
    assert not unchanged(folder)


def test_a_file_replaced_with_the_same_size_and_time(folder: Path) -> None:
    remember(folder)
    (folder / "new").write_text("CONTENT")
    os.utime(folder / "new", ns=(LONG_AGO, LONG_AGO))
    (folder / "new").rename(folder / "a")
    assert not unchanged(folder)


def test_one_that_went_and_one_that_came(folder: Path) -> None:
    remember(folder)
    (folder / "absent").write_text("")
    assert not unchanged(folder)
    (folder / "absent").unlink()
    assert unchanged(folder)
    (folder / "b").unlink()
    assert not unchanged(folder)


def test_a_hard_link_elsewhere_is_no_change(folder: Path) -> None:
    remember(folder)
    (folder.parent / "elsewhere").hardlink_to(folder / "a")
    assert unchanged(folder)


def test_marks_that_went_while_it_was_under_way_are_not_believed(folder: Path) -> None:
    remember(folder)
    begun = sweep.Sweep(folder.parent / "marks")
    # As another process does that has written its own (`materials`); helpers may have read them.
    (folder.parent / "marks").unlink()
    (folder / "a").write_text("more than before")
    assert not begun.unchanged()


@pytest.mark.parametrize(("age", "settled"), [(0, False), (10**6, False), (10**9, True)])
def test_what_has_just_been_written_is_not_trusted(
    folder: Path, age: int, *, settled: bool
) -> None:
    remember(folder, LONG_AGO + age)
    assert unchanged(folder) == settled


@pytest.mark.parametrize("content", [b"", b"\1\0", bytes(100)])
def test_torn_marks_are_not_believed(folder: Path, content: bytes) -> None:
    (folder.parent / "marks").write_bytes(content)
    with pytest.raises(ValueError, match="marks"):
        sweep.Sweep(folder.parent / "marks")


def test_without_marks_there_is_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        sweep.Sweep(tmp_path / "none")
