"""What has to be built: compiled here, in no index as a wheel, and its source can be had."""

from __future__ import annotations

import hashlib
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from packer.building import built_wheels
from packer.building.errors import SourceAltered, SourceUnusable
from packer.building.source import Source
from packer.environment import locking
from packer.environment.distribution import Distribution
from packer.environment.environment import Installed
from packer.environment.installed_files import InstalledFile
from packer.environment.lock import Recipe, WheelPin
from packer.environment.target import Target
from packer.wheels.index_sources import IndexSources
from packer.wheels.wheel_finder import Answer
from packer.wheels.wheelhouse import Wheelhouse
from tests.indexes import Indexes, wheel

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


EMPTY = b""


def odd(**modules: bytes) -> Installed:
    """What is installed of `odd`, with these modules and a library."""
    files = [f"odd/{each}.py" for each in modules]
    recorded = {
        f"{SITE}/odd/{name}.py": hashlib.sha256(text).hexdigest() for name, text in modules.items()
    }
    return replace(installed("odd", *files, "odd/fast.so", has_record=True), recorded=recorded)


class Bench(NamedTuple):
    """One archive of `odd`, and the wheel that was built of it."""

    house: Wheelhouse

    def check(
        self,
        there: Installed,
        archive: dict[str, bytes],
        *,
        generated: dict[str, bytes] | None = None,
    ) -> tuple[str, ...]:
        """`generated`: modules that the build adds, or exchanges."""
        source = self._archive(archive)
        answer = Answer(pins={"odd": self._wheel({**archive, **(generated or {})}, source)})
        origin = source if not there.distribution.source else replace(source, sha256="")
        return built_wheels.check([there], {"odd": origin}, answer, TARGET, self.house)

    def _archive(self, modules: dict[str, bytes]) -> Source:
        place = self.house.root / "odd-1.0.tar.gz"
        self.house.root.mkdir(exist_ok=True)
        with tarfile.open(place, "w:gz") as made:
            for name, text in modules.items():
                member = tarfile.TarInfo(f"odd-1.0/src/odd/{name}.py")
                member.size = len(text)
                made.addfile(member, BytesIO(text))
        sha256 = hashlib.sha256(place.read_bytes()).hexdigest()
        return Source(name="odd", version="1.0", url=place.as_uri(), sha256=sha256)

    def _wheel(self, modules: dict[str, bytes], source: Source) -> WheelPin:
        files = {f"odd/{name}.py": text.decode() for name, text in modules.items()}
        filename, data = wheel("odd", "1.0", files=files)
        pin = WheelPin(
            name="odd",
            version="1.0",
            filename=filename,
            sha256="0" * 64,
            size=1,
            built=Recipe(source=source),
        )
        self.house.path(pin).parent.mkdir(parents=True, exist_ok=True)
        self.house.path(pin).write_bytes(data)
        return pin


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Wheelhouse(root=tmp_path / "house"))


FILE = {"url": "file:///dist/odd-1.0.tar.gz", "archive_info": {}}


@pytest.mark.parametrize("source", [{}, FILE])
def test_what_is_built_without_a_recorded_hash_is_compared_with_what_is_installed(
    bench: Bench, source: dict[str, Any]
) -> None:
    there = odd(__init__=EMPTY, core=b"new")
    there = replace(there, distribution=replace(there.distribution, source=source))
    assert bench.check(there, {"__init__": EMPTY, "core": b"new", "more": b"more"}) == ()
    for archive in ({"__init__": EMPTY, "core": b"old"}, {"__init__": EMPTY}):
        with pytest.raises(SourceAltered) as refused:
            bench.check(there, archive)
        assert refused.value.code == "SOURCE_ALTERED"
        assert f"{SITE}/odd/core.py" in refused.value.why()
    again = "--force-reinstall --no-deps 'file:///" in refused.value.fix()
    # Nobody is told to install what an index has under a private name.
    assert again == bool(source)


def test_what_the_build_writes_may_be_another_thing_each_time(bench: Bench) -> None:
    there = odd(__init__=b"code", version=b"by an older tool")
    assert bench.check(there, {"__init__": b"code"}, generated={"version": b"by a newer"}) == ()
    # But something has to be alike.
    only = odd(__init__=EMPTY, version=b"by an older tool")
    with pytest.raises(SourceAltered):
        bench.check(only, {"__init__": EMPTY}, generated={"version": b"by a newer"})


def test_what_an_index_has_and_no_module_shows_is_told_of(bench: Bench) -> None:
    assert bench.check(odd(), {}) == ("odd",)
    assert bench.check(odd(__init__=EMPTY), {"__init__": EMPTY}) == ("odd",)


def test_a_recorded_hash_proves_it(bench: Bench) -> None:
    there = odd(__init__=b"code")
    origin = {"url": "https://h.example/odd-1.0.tar.gz", "archive_info": {"hash": "sha256=aa"}}
    there = replace(there, distribution=replace(there.distribution, source=origin))
    proved = Source(name="odd", version="1.0", url=origin["url"], sha256="aa")
    assert built_wheels.check([there], {"odd": proved}, Answer(), TARGET, bench.house) == ()


def test_what_is_no_wheel_is_refused(bench: Bench) -> None:
    pin = WheelPin(name="odd", version="1.0", filename="odd.whl", sha256="0" * 64, size=1)
    bench.house.path(pin).parent.mkdir(parents=True)
    bench.house.path(pin).write_bytes(b"rubbish")
    origin = Source(name="odd", version="1.0", url="file:///dist/odd-1.0.tar.gz")
    with pytest.raises(SourceUnusable):
        built_wheels.check([odd()], {"odd": origin}, Answer(pins={"odd": pin}), TARGET, bench.house)
