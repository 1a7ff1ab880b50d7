"""What has to be built: compiled here, in no index as a wheel, and its source can be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from packer.building import built_wheels
from packer.building.source import Source
from packer.environment import locking
from packer.environment.distribution import Distribution
from packer.environment.environment import Installed
from packer.environment.installed_files import InstalledFile
from packer.environment.lock import WheelPin
from packer.wheels.index_sources import IndexSources
from packer.wheels.wheel_finder import Answer

SITE = "lib/python3.11/site-packages"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = {"url": "https://g.example/a", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}
NO_WHEEL = "the index has no wheel of version 1.0"


def installed(name: str, *files: str, **facts: Any) -> Installed:
    found = Distribution(
        name=name, version="1.0", site="/site", metadata=f"{name}-1.0.dist-info", **facts
    )
    return Installed(
        distribution=found,
        files=tuple(
            InstalledFile(
                path=f"{SITE}/{each}",
                source=f"/site/{each}",
                size=1,
                stamp=(0, 1, 0),
                executable=False,
                sha256="0" * 64,
            )
            for each in files
        ),
    )


def index(folder: Path) -> IndexSources:
    """A simple index on this machine that has one source archive (PEP 503)."""
    page = folder / "simple" / "odd" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="../../odd-1.0.tar.gz#sha256={"a" * 64}">odd-1.0.tar.gz</a>')
    return IndexSources(variables={"UV_DEFAULT_INDEX": (folder / "simple").as_uri()})


@pytest.mark.parametrize(
    ("found", "answer", "wanted"),
    [
        (installed("a", "a.so", source=GIT, has_record=True), Answer(), "git"),
        (installed("a", "a.py", source=GIT, has_record=True), Answer(), ""),
        (
            installed("a", "a.so", has_record=True, source={"url": "/a", "dir_info": {}}),
            Answer(),
            "",
        ),
        (installed("a", "a.so", has_record=True, installer="conda"), Answer(), ""),
        (
            installed("a", "a.so", source=GIT, has_record=True),
            Answer(
                pins={
                    "a": WheelPin(name="a", version="1", filename="a.whl", sha256="0" * 64, size=1)
                }
            ),
            "",
        ),
        (
            installed("a", "a.so", has_record=True),
            Answer(reasons={"a": "no index answered"}, unreachable="it is off"),
            "",
        ),
    ],
)
def test_what_is_wanted(found: Installed, answer: Answer, wanted: str) -> None:
    sources = built_wheels.wanted([found], answer, IndexSources(no_index=True))
    assert [str(each).partition(" ")[0] for each in sources.values()] == (
        [wanted] if wanted else []
    )


def test_an_index_is_asked_for_the_archive_of_one_that_has_no_wheel_there(tmp_path: Path) -> None:
    odd = installed("odd", "odd.cpython-311-x86_64-linux-gnu.so", has_record=True)
    answer = Answer(reasons={"odd": NO_WHEEL})
    found = built_wheels.wanted([odd], answer, index(tmp_path))
    assert found.keys() == {"odd"}
    assert found["odd"].sha256 == "a" * 64
    assert found["odd"].filename == "odd-1.0.tar.gz"


def test_what_is_not_built_yet_has_a_pin_without_a_file() -> None:
    kept = WheelPin(name="a", version="1", filename="a.whl", sha256="0" * 64, size=1)
    origin = Source(name="odd", version="1.0", url="https://g.example/odd-1.0.tar.gz")
    pins = locking.provisional(Answer(pins={"a": kept}), {"odd": origin}).pins
    assert pins["a"] == kept
    assert pins["odd"] == WheelPin(name="odd", version="1.0", filename="", sha256="", size=0)
