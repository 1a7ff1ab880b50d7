"""Metadata directories, as they are found in the wild."""

from __future__ import annotations

from pathlib import Path

from packer.environment import distribution

METADATA = """\
Metadata-Version: 2.1
Name: Some.Package_x
Version: 1.0+cu121
Requires-Dist: one>=2
Requires-Dist: two[more]; extra == "a"
Description: text
        folded: not a header

Name: of the text below the headers
"""
RECORD = """\
some/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0
"some/with, comma.py",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=,12
some/md5.py,md5=abc,3
../../../bin/some,,
some.dist-info/RECORD,,
"""
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_dist_info_directory(tmp_path: Path) -> None:
    info = tmp_path / "some-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "RECORD").write_text(RECORD)
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\nTag: py2-none-any\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "REQUESTED").touch()
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    (info / "entry_points.txt").write_text(
        "[console_scripts]\nsome = some:main\n# no = no:no\n"
        "[other]\nx = y\n[gui_scripts]\nw=some:w\n"
    )
    found = distribution.read(tmp_path, info.name)
    assert found is not None
    assert (found.name, found.version) == ("some-package-x", "1.0+cu121")
    assert found.requires == ("one>=2", 'two[more]; extra == "a"')
    assert found.tags == ("py2-none-any", "py3-none-any")
    assert (found.installer, found.requested, found.is_editable) == ("pip", True, True)
    assert found.scripts == ("some", "w")
    assert [(entry.path, entry.sha256) for entry in found.record] == [
        ("some/__init__.py", EMPTY),
        ("some/with, comma.py", EMPTY),
        ("some/md5.py", ""),
        ("../../../bin/some", ""),
        ("some.dist-info/RECORD", ""),
    ]


def test_uv_marks_everything_as_requested_so_that_says_nothing(tmp_path: Path) -> None:
    info = tmp_path / "some-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "INSTALLER").write_text("uv")
    (info / "REQUESTED").touch()
    found = distribution.read(tmp_path, info.name)
    assert found is not None
    assert not found.requested


def test_what_is_half_removed_or_broken_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "half-1.0.dist-info").mkdir()
    assert distribution.read(tmp_path, "half-1.0.dist-info") is None
    assert not distribution.is_metadata("~umpy-1.0.dist-info")
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Name: broken\nVersion: 1\n")
    (broken / "direct_url.json").write_text("{not json")
    (broken / "RECORD").write_bytes(b"a\xff.py,sha256=!!!,x\n")
    found = distribution.read(tmp_path, broken.name)
    assert found is not None
    assert found.source == {}
    assert [(entry.path, entry.sha256, entry.size) for entry in found.record] == [
        ("a\udcff.py", "", -1)
    ]


def test_an_egg_info_directory_and_file(tmp_path: Path) -> None:
    folder = tmp_path / "old-0.1.egg-info"
    folder.mkdir()
    (folder / "PKG-INFO").write_text("Name: old\nVersion: 0.1\n")
    (folder / "top_level.txt").write_text("old\n_old\n")
    (tmp_path / "older.egg-info").write_text("Name: Older\nVersion: 0\n")
    old, older = (distribution.read(tmp_path, name) for name in (folder.name, "older.egg-info"))
    assert old is not None
    assert older is not None
    assert (old.is_legacy, old.top_level) == (True, ("old", "_old"))
    assert (older.name, older.top_level) == ("older", ("older",))
