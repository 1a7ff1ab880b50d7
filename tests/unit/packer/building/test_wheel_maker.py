"""The program that builds a wheel, as it finds its source."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from packer.building import wheel_maker


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_maker, "_WORK", tmp_path / "work")


def test_a_tree_with_one_file_at_its_top_is_no_archive(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "python").mkdir(parents=True)
    (tree / "README.md").write_text("about")
    (tree / "python" / "setup.py").touch()
    top = wheel_maker.unpacked(tree, archive=False)
    assert (top / "python" / "setup.py").exists()
    assert (top / "README.md").read_text() == "about"


def test_an_archive_is_unpacked_to_its_one_folder(tmp_path: Path) -> None:
    (tmp_path / "odd-1.0").mkdir()
    (tmp_path / "odd-1.0" / "setup.py").touch()
    place = tmp_path / "source" / "odd-1.0.tar.gz"
    place.parent.mkdir()
    with tarfile.open(place, "w:gz") as packed:
        packed.add(tmp_path / "odd-1.0", "odd-1.0")
    top = wheel_maker.unpacked(place.parent, archive=True)
    assert top.name == "odd-1.0"
    assert (top / "setup.py").exists()
