"""Directories that go with whoever made them."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from packer.errors import DiskFull
from packer.workplace import workplace


def left(cache: Path) -> list[str]:
    """Everything below the folder of them, but for its own."""
    return [path.name for path in (cache / "work").rglob("*") if path.name != ".owners"]


def fill(place: Path) -> None:
    (place / "out" / "blobs").mkdir(parents=True)
    (place / "out" / "blobs" / "large").write_bytes(bytes(1000))


def test_it_is_empty_and_goes(tmp_path: Path) -> None:
    with workplace(tmp_path, "a base") as place:
        assert place.is_absolute()
        assert place.is_relative_to(tmp_path)
        assert not list(place.iterdir())
        fill(place)
    assert not left(tmp_path)


def test_a_relative_cache_has_an_absolute_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with workplace(Path("cache"), "a base") as place:
        assert place.is_absolute()


def test_it_goes_after_an_error_as_well(tmp_path: Path) -> None:
    def fail() -> None:
        with workplace(tmp_path, "a base") as place:
            fill(place)
            raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        fail()
    assert not left(tmp_path)


def test_that_of_a_killed_one_goes_and_no_other_s(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with workplace(tmp_path, "a base") as place:
                fill(place)
                os.write(writing, place.name.encode())
                signal.pause()
        finally:
            os._exit(1)
    name = os.read(reading, 100).decode()
    with workplace(tmp_path, "another") as other, workplace(tmp_path, "a third"):
        assert (tmp_path / "work" / name / "out" / "blobs" / "large").exists()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with workplace(tmp_path, "a fourth"):
            assert not (tmp_path / "work" / name).exists()
            assert other.exists()
    assert not left(tmp_path)


def test_a_full_disk_is_the_one_that_it_is_on(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as caught, workplace(tmp_path, "a base"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.where == str(tmp_path / "work")
    assert "a base" in caught.value.what()
    assert not left(tmp_path)
