from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from packer.building import source
from packer.building.source import BuildSystem, Source

PYPROJECT = b"""\
[build-system]
requires = ["hatchling", "ninja>=1"]
build-backend = "backend:make"
backend-path = ["tools"]
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def tarred(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_an_archive_says_how_it_is_built(tmp_path: Path) -> None:
    files = {"a-1/pyproject.toml": PYPROJECT, "a-1/src/fast.pyx": b"", "a-1/x/pyproject.toml": b""}
    expected = BuildSystem(
        requires=("hatchling", "ninja>=1"), backend="backend:make", backend_path=("tools",)
    )
    for place in (tarred(tmp_path / "a-1.tar.gz", files), zipped(tmp_path / "a-1.zip", files)):
        found = source.read(place)
        assert found.system == expected
        assert found.compiles
        assert source.read(place, "x").system == BuildSystem()


def test_a_directory_does_too(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "pyproject.toml").write_bytes(PYPROJECT)
    (tmp_path / "main.py").write_bytes(b"")
    assert source.read(tmp_path, "part").system.backend == "backend:make"
    assert source.read(tmp_path).system == BuildSystem()
    assert not source.read(tmp_path).compiles


def test_without_a_build_system_it_is_setuptools() -> None:
    assert (
        BuildSystem.read(b"[project]\nname = 'a'\n").backend == "setuptools.build_meta:__legacy__"
    )
    only_requires = BuildSystem.read(b"[build-system]\nrequires = []\n")
    assert only_requires == BuildSystem(requires=())


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "a-1.tar.gz").write_bytes(b"rubbish")
    (tmp_path / "a-1.zip").write_bytes(b"rubbish")
    broken = tarred(tmp_path / "b-1.tar.gz", {"b-1/pyproject.toml": b"not = toml ="})
    for place in (tmp_path / "a-1.tar.gz", tmp_path / "a-1.zip", broken):
        with pytest.raises(ValueError):
            source.read(place)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"url": "https://g.example/a", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            Source(name="a", version="1", url="https://g.example/a", commit=COMMIT),
        ),
        (
            {
                "url": "https://f.example/a-1.tar.gz",
                "archive_info": {"hashes": {"sha256": "ab"}},
                "subdirectory": "python",
            },
            Source(
                name="a",
                version="1",
                url="https://f.example/a-1.tar.gz",
                sha256="ab",
                subdirectory="python",
            ),
        ),
        (
            {"url": "https://f.example/a-1.zip", "archive_info": {"hash": "sha256=cd"}},
            Source(name="a", version="1", url="https://f.example/a-1.zip", sha256="cd"),
        ),
        ({"url": "https://f.example/a-1-py3-none-any.whl", "archive_info": {}}, None),
        ({"url": "https://h.example/a", "vcs_info": {"vcs": "hg", "commit_id": "1"}}, None),
        ({"url": "file:///home/a", "dir_info": {}}, None),
        ({}, None),
    ],
)
def test_direct_url_json_tells_where_a_source_is(
    told: dict[str, object], expected: Source | None
) -> None:
    assert source.of_direct_url("a", "1", told) == expected


def test_a_source_has_a_name_for_people() -> None:
    assert str(Source(name="a", version="1", url="https://f.example/a-1.tar.gz")) == "a-1.tar.gz"
    git = Source(name="a", version="1", url="https://g.example/a", commit=COMMIT)
    assert str(git) == "git https://g.example/a@0123456789ab"


def test_an_archive_has_modules_that_are_known_by_hash(tmp_path: Path) -> None:
    files = {"a-1/setup.py": b"x", "a-1/src/a/core.py": b"y", "a-1/a.c": b"z"}
    expected = {hashlib.sha256(data).hexdigest() for data in (b"x", b"y")}
    for place in (tarred(tmp_path / "a-1.tar.gz", files), zipped(tmp_path / "a-1.zip", files)):
        assert source.modules(place) == expected
        place.write_bytes(b"rubbish")
        with pytest.raises(ValueError, match="is no archive of source"):
            source.modules(place)
