"""Sources made into wheels on the base: a repository's commit, and everything that goes wrong."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from packer.building.errors import SourceUnusable, WheelNotBuilt
from packer.building.source import Source
from packer.building.wheelwright import BuiltWheel, Wheelwright, Workshop
from packer.buildkit import address
from packer.buildkit.builder import Builder
from packer.buildkit.errors import PackageUnknown
from packer.environment import interpreter, target
from packer.environment.lock import Recipe
from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from packer.wheels import index_sources
from packer.wheels.candidates import Question
from packer.wheels.errors import WheelHashMismatch
from packer.wheels.wheelhouse import Wheelhouse
from tests.git_repository import GitRepository
from tests.stack.buildkit.second import SecondBuilder
from tests.stack.stack import Stack

# A backend of the project's own: what it does is in the test, and no index is asked.
BACKEND = """\
import pathlib, zipfile
{extra}
def build_wheel(directory, config_settings=None, metadata_directory=None):
    {body}
    name = "odd-1.0-py3-none-any.whl"
    info = "odd-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as wheel:
        wheel.writestr("odd.py", pathlib.Path("odd.py").read_text())
        wheel.writestr(f"{{info}}/METADATA", "Metadata-Version: 2.1\\nName: odd\\nVersion: 1.0\\n")
        wheel.writestr(f"{{info}}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(f"{{info}}/RECORD", "")
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["tools"]\n'


def files(body: str = "pass", extra: str = "") -> dict[str, str]:
    return {
        "pyproject.toml": PYPROJECT,
        "tools/backend.py": BACKEND.format(body=body, extra=extra),
        "odd.py": "answer = 42\n",
    }


def archive(folder: Path, content: Mapping[str, str], *, recorded: bool = True) -> Source:
    path = folder / "odd-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        for name, text in content.items():
            member = tarfile.TarInfo(f"odd-1.0/{name}")
            member.size = len(text.encode())
            made.addfile(member, io.BytesIO(text.encode()))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if recorded else ""
    return Source(name="odd", version="1.0", url=path.as_uri(), sha256=sha256)


Make = Callable[..., BuiltWheel]
Wright = Callable[..., Wheelwright]


@pytest.fixture
def wright(stack: Stack, builder: Builder, tmp_path: Path) -> Wright:
    """Whoever builds on the stack's base, and remembers it in a folder."""
    repository = Repository.parse(f"{stack.known['registry']['address']}/wheels")
    registry = Registry(repository, Access(), tmp_path / "cache")
    base = registry.base(stack.known["images"]["base"], "linux/amd64")
    found = interpreter.describe(interpreter.find("python3.11"), tmp_path / "cache")
    sources = index_sources.find(found.prefix, tmp_path)
    question = Question(python=found.executable, project=tmp_path, sources=sources)
    house = Wheelhouse(root=tmp_path / "wheels", sources=sources)

    def made(memory: str, *packages: str, by: Builder = builder, cache: str = "") -> Wheelwright:
        workshop = Workshop(by, base, target.of(found), packages, cache)
        return Wheelwright(workshop, house, question, tmp_path / memory)

    return made


@pytest.fixture
def make(wright: Wright, tmp_path: Path) -> Make:
    """Build a source on the stack's base."""

    def build(source: Source, *packages: str) -> BuiltWheel:
        built = wright("built", *packages).make(source)
        assert place(tmp_path, built).is_file()
        return built

    return build


def place(tmp_path: Path, built: BuiltWheel) -> Path:
    return tmp_path / "wheels" / built.pin.sha256 / built.pin.filename


def content(tmp_path: Path, built: BuiltWheel, name: str) -> str:
    path = place(tmp_path, built)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == built.pin.sha256
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(name).decode()


def test_an_archive_becomes_a_wheel_with_a_hash(make: Make, tmp_path: Path) -> None:
    built = make(archive(tmp_path, files()))
    assert built.pin.filename == "odd-1.0-py3-none-any.whl"
    assert content(tmp_path, built, "odd.py") == "answer = 42\n"
    assert built.requirements == ()


def test_what_one_builder_has_made_another_need_not(
    wright: Wright, stack: Stack, tmp_path: Path
) -> None:
    by_chance = "pathlib.Path('odd.py').write_text(__import__('os').urandom(8).hex())"
    source = archive(tmp_path, files(by_chance))
    registry = stack.known["registry"]["address"]
    cache = f"{registry}/cache-{os.urandom(4).hex()}"
    first = wright("first", cache=cache).make(source)
    with SecondBuilder(registry) as second:
        other = Builder(address.parse(second.address), tmp_path / "second")
        assert wright("second", by=other, cache=cache).make(source).pin == first.pin
        assert wright("third", by=other).repeat(Recipe(source=source)) != first.pin


def test_a_commit_of_a_repository_does_too(make: Make, tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "repository")
    inside = {f"python/{name}": text for name, text in files().items()}
    # One file at the top, as an archive would be.
    commit = repository.commit({**inside, "README.md": "about"})
    repository.commit({"python/odd.py": "answer = 43\n"})
    source = Source(
        name="odd", version="1.0", url=repository.url, commit=commit, subdirectory="python"
    )
    assert content(tmp_path, make(source), "odd.py") == "answer = 42\n"
    with pytest.raises(SourceUnusable) as refused:
        make(Source(name="odd", version="1.0", url=repository.url, commit="0" * 40))
    assert "commit" in refused.value.why()


def test_what_a_backend_asks_for_is_brought_along(make: Make, tmp_path: Path) -> None:
    asks = "def get_requires_for_build_wheel(config_settings=None): return ['six==1.17.0']"
    built = make(archive(tmp_path, files(body="import six", extra=asks)))
    assert [pin.filename for pin in built.requirements] == ["six-1.17.0-py2.py3-none-any.whl"]


def test_what_a_backend_asks_for_is_heard_where_there_is_no_cache_yet(
    wright: Wright, stack: Stack, tmp_path: Path
) -> None:
    asks = "def get_requires_for_build_wheel(config_settings=None): return ['six==1.17.0']"
    cache = f"{stack.known['registry']['address']}/cache-{os.urandom(4).hex()}"
    source = archive(tmp_path, files(body="import six", extra=asks))
    built = wright("built", cache=cache).make(source)
    assert [pin.name for pin in built.requirements] == ["six"]


def test_an_archive_without_a_recorded_hash_is_built_as_it_is_now(
    make: Make, tmp_path: Path
) -> None:
    first = make(archive(tmp_path, files(), recorded=False))
    source = archive(tmp_path, {**files(), "odd.py": "answer = 43\n"}, recorded=False)
    second = make(source)
    assert content(tmp_path, first, "odd.py") == "answer = 42\n"
    assert content(tmp_path, second, "odd.py") == "answer = 43\n"
    path = tmp_path / source.filename
    assert second.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_wheel_of_another_version_is_not_taken(make: Make, tmp_path: Path) -> None:
    source = archive(tmp_path, files())
    with pytest.raises(SourceUnusable) as refused:
        make(replace(source, version="1.1"))
    assert "odd-1.0-py3-none-any.whl" in refused.value.why()


def test_a_build_has_no_network(make: Make, tmp_path: Path) -> None:
    reach = "import socket; socket.create_connection(('127.0.0.1', 22), 1)"
    look = "assert pathlib.Path('/sys/class/net/eth0').exists(), 'no network'"
    for body in (reach, look):
        with pytest.raises(WheelNotBuilt):
            make(archive(tmp_path, files(body=body)))


def test_a_build_that_fails_says_what_it_said(make: Make, tmp_path: Path) -> None:
    with pytest.raises(WheelNotBuilt) as failed:
        make(archive(tmp_path, files(body="raise SystemExit('libodd.h: no such file')")))
    assert failed.value.code == "WHEEL_NOT_BUILT"
    assert "odd-1.0.tar.gz" in failed.value.what()
    assert "libodd.h: no such file" in failed.value.evidence()
    assert "build-apt" in failed.value.fix()
    assert not list((tmp_path / "built").glob("*.json"))


def test_an_archive_that_was_exchanged_is_not_built(make: Make, tmp_path: Path) -> None:
    source = archive(tmp_path, files())
    archive(tmp_path, files(body="print('exchanged')"))
    with pytest.raises(WheelHashMismatch):
        make(source)


def test_requirements_that_no_index_has_are_named(make: Make, tmp_path: Path) -> None:
    wanted = PYPROJECT.replace("[]", '["no-such-thing-at-all==9"]')
    with pytest.raises(SourceUnusable) as refused:
        make(archive(tmp_path, {**files(), "pyproject.toml": wanted}))
    assert "no-such-thing-at-all==9" in refused.value.why()
    assert refused.value.evidence()


def test_an_unknown_package_of_the_build_is_named(make: Make, tmp_path: Path) -> None:
    with pytest.raises(PackageUnknown) as refused:
        make(archive(tmp_path, files()), "no-such-package")
    assert refused.value.names == ("no-such-package",)
