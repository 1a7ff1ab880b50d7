"""What has to be built: compiled here, in no index as a wheel, and its source can be had."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from packer.building import built_wheels
from packer.building.errors import SourceAltered, SourceUnusable
from packer.building.source import Source
from packer.environment import locking
from packer.environment.distribution import Distribution
from packer.environment.environment import Installed
from packer.environment.installed_files import InstalledFile
from packer.environment.lock import WheelPin
from packer.environment.target import Target
from packer.wheels.index_sources import IndexSources
from packer.wheels.wheel_finder import Answer
from packer.wheels.wheelhouse import Wheelhouse
from tests.indexes import Indexes

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
    return IndexSources(indexes=((folder / "simple").as_uri(),))


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
    sources, _ = built_wheels.wanted([found], answer, IndexSources(no_index=True))
    assert [str(each).partition(" ")[0] for each in sources.values()] == (
        [wanted] if wanted else []
    )


def test_an_index_is_asked_for_the_archive_of_one_that_has_no_wheel_there(tmp_path: Path) -> None:
    there = installed("odd", "odd.cpython-311-x86_64-linux-gnu.so", has_record=True)
    answer = Answer(reasons={"odd": NO_WHEEL})
    found, after = built_wheels.wanted([there], answer, index(tmp_path))
    assert after == answer
    assert found.keys() == {"odd"}
    assert found["odd"].sha256 == "a" * 64
    assert found["odd"].filename == "odd-1.0.tar.gz"


def test_an_index_that_does_not_tell_of_a_source_is_said_to_be_unread() -> None:
    there = installed("odd", "odd.so", has_record=True)
    with Indexes() as served:
        served.failing.add("odd")
        sources = IndexSources(indexes=(served.url + "/simple",))
        found, after = built_wheels.wanted([there], Answer(reasons={"odd": NO_WHEEL}), sources)
    assert not found
    assert after.unread == after.reasons
    assert after.unread["odd"].startswith("odd could not be fetched: the server answered 503")


def test_what_is_not_built_yet_has_a_pin_without_a_file() -> None:
    kept = WheelPin(name="a", version="1", filename="a.whl", sha256="0" * 64, size=1)
    origin = Source(name="odd", version="1.0", url="https://g.example/odd-1.0.tar.gz")
    pins = locking.provisional(Answer(pins={"a": kept}), {"odd": origin}).pins
    assert pins["a"] == kept
    assert pins["odd"] == WheelPin(name="odd", version="1.0", filename="", sha256="", size=0)


TARGET = Target(platform="linux/amd64", packages=SITE, tags=())


def built(house: Wheelhouse, module: bytes) -> Answer:
    """A wheel of `odd` with one module, in the wheelhouse."""
    filename = "odd-1.0-cp311-cp311-linux_x86_64.whl"
    pin = WheelPin(name="odd", version="1.0", filename=filename, sha256="0" * 64, size=1)
    digest = base64.urlsafe_b64encode(hashlib.sha256(module).digest()).rstrip(b"=").decode()
    house.path(pin).parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(house.path(pin), "w") as wheel:
        wheel.writestr("odd/__init__.py", module)
        wheel.writestr("odd-1.0.dist-info/RECORD", f"odd/__init__.py,sha256={digest},\n")
    return Answer(pins={"odd": pin})


def test_what_is_built_without_a_recorded_hash_is_compared_with_what_is_installed(
    tmp_path: Path,
) -> None:
    house = Wheelhouse(root=tmp_path)
    path = f"{SITE}/odd/__init__.py"
    there = replace(
        installed("odd", "odd/__init__.py", "odd/fast.so", has_record=True),
        recorded={path: hashlib.sha256(b"new").hexdigest()},
    )
    unproved = Source(name="odd", version="1.0", url="file:///dist/odd-1.0.tar.gz")
    built_wheels.check([there], {"odd": unproved}, built(house, b"new"), TARGET, house)
    old = built(house, b"old")
    with pytest.raises(SourceAltered) as refused:
        built_wheels.check([there], {"odd": unproved}, old, TARGET, house)
    assert refused.value.code == "SOURCE_ALTERED"
    assert path in refused.value.why()
    assert "--force-reinstall --no-deps 'file:///dist/odd-1.0.tar.gz'" in refused.value.fix()
    # A hash proves it: what its build writes may be another thing each time.
    proved = replace(unproved, sha256="a" * 64)
    built_wheels.check([there], {"odd": proved}, old, TARGET, house)
    house.path(old.pins["odd"]).write_bytes(b"rubbish")
    with pytest.raises(SourceUnusable):
        built_wheels.check([there], {"odd": unproved}, old, TARGET, house)
