"""Sources of this machine, fetched for real: archives in a folder, and a git repository."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from packer.building import source_copy
from packer.building.errors import SourceUnusable
from packer.building.source import Source
from packer.wheels.errors import WheelHashMismatch
from packer.wheels.wheelhouse import Wheelhouse
from tests.git_repository import GitRepository


@pytest.fixture
def house(tmp_path: Path) -> Wheelhouse:
    return Wheelhouse(root=tmp_path / "wheels")


def archive(folder: Path, content: bytes, *, recorded: bool = False) -> Source:
    path = folder / "odd-1.0.tar.gz"
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest() if recorded else ""
    return Source(name="odd", version="1.0", url=path.as_uri(), sha256=sha256)


def test_an_archive_without_a_hash_gets_that_of_what_it_is_now(
    house: Wheelhouse, tmp_path: Path
) -> None:
    first = source_copy.identified(archive(tmp_path, b"first"), house)
    second = source_copy.identified(archive(tmp_path, b"second"), house)
    assert first.identity == hashlib.sha256(b"first").hexdigest()
    assert second.identity == hashlib.sha256(b"second").hexdigest()
    # What was identified is what is built, though it be exchanged in between.
    assert source_copy.fetch(first, house, tmp_path / "copy").read_bytes() == b"first"


def test_one_with_a_hash_is_verified(house: Wheelhouse, tmp_path: Path) -> None:
    source = archive(tmp_path, b"first", recorded=True)
    assert source_copy.identified(source, house) == source
    archive(tmp_path, b"second")
    with pytest.raises(WheelHashMismatch):
        source_copy.fetch(source, house, tmp_path / "copy")
    archive(tmp_path, b"first")
    assert source_copy.fetch(source, house, tmp_path / "again").read_bytes() == b"first"


@pytest.mark.parametrize("left", [b"", b"fir", b"\0\0\0\0\0"])
def test_a_kept_one_that_is_damaged_is_fetched_anew(
    house: Wheelhouse, tmp_path: Path, left: bytes
) -> None:
    source = source_copy.identified(archive(tmp_path, b"first"), house)
    kept = house.root / source.sha256 / source.filename
    kept.write_bytes(left)
    assert source_copy.fetch(source, house, tmp_path / "copy").read_bytes() == b"first"


def test_what_is_not_there_is_told(house: Wheelhouse, tmp_path: Path) -> None:
    nowhere = Source(name="odd", version="1.0", url=(tmp_path / "odd-1.0.tar.gz").as_uri())
    with pytest.raises(SourceUnusable):
        source_copy.identified(nowhere, house)


def test_a_commit_is_checked_out_without_its_repository(house: Wheelhouse, tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "repository")
    commit = repository.commit({"odd.py": "answer = 42\n"})
    repository.commit({"odd.py": "answer = 43\n"})
    source = Source(name="odd", version="1.0", url=repository.url, commit=commit)
    assert source_copy.identified(source, house) == source
    tree = source_copy.fetch(source, house, tmp_path / "copy")
    assert (tree / "odd.py").read_text() == "answer = 42\n"
    assert not (tree / ".git").exists()
