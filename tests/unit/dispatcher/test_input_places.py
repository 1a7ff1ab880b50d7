from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher import input_places
from dispatcher.input_errors import InputInTheWay
from dispatcher.input_source import Source, read
from packer.project import snapshot


@pytest.fixture
def listing(tmp_path: Path) -> bytes:
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "empty").mkdir()
    (project / "train.py").touch()
    (project / "src/a.py").touch()
    (project / "link").symlink_to("src")
    return snapshot.take(project, cache=tmp_path / "cache").listing


@pytest.fixture
def given(tmp_path: Path):
    """Reads a file, or a folder with `a.py` in it, for a place."""
    (tmp_path / "file").write_text("data")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.py").write_text("data")

    def reading(kind: str, place: str) -> Source:
        return read(tmp_path / kind, place, tmp_path / "cache")

    return reading


@pytest.mark.parametrize(
    ("kind", "place", "taken"),
    [
        ("file", "train.py", "train.py"),
        ("file", "src", "src"),
        ("file", "empty", "empty"),
        ("file", "train.py/x", "train.py"),
        ("file", "link/x", "link"),
        ("folder", "src", "src/a.py"),
        ("folder", "train.py", "train.py"),
    ],
)
def test_what_the_project_has_is_in_the_way(listing, given, kind, place, taken) -> None:
    with pytest.raises(InputInTheWay) as caught:
        input_places.check([given(kind, place)], listing)
    assert caught.value.taken == taken
    assert repr(taken) in caught.value.why()


def test_inputs_are_in_each_others_way(listing, given) -> None:
    input_places.check([given("file", "data/x"), given("folder", "data/y")], listing)
    with pytest.raises(InputInTheWay):
        input_places.check([given("file", "data"), given("folder", "data")], listing)


@pytest.mark.parametrize(
    ("kind", "place"),
    [("file", "src/b.py"), ("folder", "src/data"), ("folder", "empty"), ("file", "empty/x")],
)
def test_folders_are_shared(listing, given, kind, place) -> None:
    input_places.check([given(kind, place)], listing)
