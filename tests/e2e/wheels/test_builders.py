"""The same lock by both builders: the same layers, each with the same paths, modes and bytes."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from packer.building.environment_layers import BuildKitLayers
from packer.building.source import Source
from packer.building.wheelwright import Wheelwright, Workshop
from packer.buildkit import address
from packer.buildkit.builder import Builder
from packer.environment import interpreter, target
from packer.environment.interpreter import Interpreter
from packer.environment.lock import FilesPin, Lock, PinnedFile
from packer.images.base import Base
from packer.images.layout import Layout
from packer.layers import environment_plan
from packer.layers.environment_image import build_layers
from packer.layers.layer import Layer
from packer.progress import SILENT
from packer.registry.access import Access
from packer.registry.reference import Repository
from packer.registry.registry import Registry
from packer.wheels import index_sources, source_archives
from packer.wheels.candidates import Question
from packer.wheels.errors import WheelHashMismatch
from packer.wheels.wheelhouse import Wheelhouse
from tests.buildkit import docker_cli
from tests.e2e.wheels.conftest import Wheels
from tests.stack.stack import Stack

ENVIRONMENTS = {
    "numeric": ("numpy", "python-dateutil", "pytz"),
    "plots": ("matplotlib", "contourpy", "cycler", "kiwisolver", "pyparsing", "packaging"),
    "notebooks": ("ipython", "jupyter-core", "jupyterlab-widgets", "ipykernel", "debugpy"),
    "tools": ("setuptools", "pybind11", "ninja", "greenlet", "cython"),
    "services": ("requests", "rich", "tqdm", "sqlalchemy", "pyyaml", "certifi", "markupsafe"),
}
SITE = "lib/python3.11/site-packages"

Tree = dict[str, tuple[object, ...]]
"""What stands at each path of a layer."""


class Bench(NamedTuple):
    builder: Builder
    base: Base
    python: Interpreter
    root: Path

    def native(self, lock: Lock, wheels: Wheels, files: dict[str, bytes]) -> list[Tree]:
        layout = Layout(self.root / "native")
        made = build_layers(
            lock, files, wheels.fetch, self.python, layout, self.root / "memory", SILENT
        )
        return [tree(layout, each) for each in made]

    def installed(self, lock: Lock, wheels: Wheels, files: dict[str, bytes]) -> list[Tree]:
        layout = Layout(self.root / "buildkit")
        made = BuildKitLayers(self.builder, self.base).layers(
            lock, dict(files), wheels.fetch, layout, SILENT
        )
        return [tree(layout, each) for each in made]


def tree(layout: Layout, layer: Layer) -> Tree:
    """Everything that a runtime would unpack of one layer; nothing is in it twice."""
    found: Tree = {}
    with tarfile.open(layout.verify(layer.digest)) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            content = hashlib.file_digest(stream, "sha256").hexdigest() if stream else ""
            owner = member.uid, member.gid
            path = member.name.rstrip("/")
            assert path not in found
            found[path] = (member.type, oct(member.mode), owner, member.mtime, content)
    return found


def paths(layers: list[Tree]) -> set[str]:
    return {path for layer in layers for path in layer}


@pytest.fixture(scope="module")
def bench(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("builders")
    # The base's own version, because another's compiler may make other bytecode of a few files.
    python = interpreter.describe(interpreter.find("/usr/bin/python3.11"), root / "interpreters")
    registry = Registry(
        Repository.parse(f"{stack.known['registry']['address']}/builders"), Access(), root / "cache"
    )
    base = registry.base(stack.known["images"]["base"], "linux/amd64")
    assert python.version == base.python_version
    with pytest.MonkeyPatch.context() as environment:
        docker_cli(root / "cli", environment)
        builder = Builder(address.parse(stack.known["buildkitd"]["address"]), root / "cache")
        yield Bench(builder, base, python, root)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_both_builders_make_the_same_layers(
    bench: Bench, scientific_wheels: Wheels, name: str
) -> None:
    wheels = scientific_wheels.only(*ENVIRONMENTS[name])
    native = bench.native(wheels.lock, wheels, {})
    assert len(native) == len(environment_plan.plan(wheels.lock))
    assert len(paths(native)) > 100
    assert bench.installed(wheels.lock, wheels, {}) == native


def test_changed_and_deleted_files_and_those_without_a_wheel(
    bench: Bench, scientific_wheels: Wheels
) -> None:
    wheels = scientific_wheels.only("tqdm", "rich")
    files = {
        hashlib.sha256(data).hexdigest(): data
        for data in (b"print('changed')\n", b"#!/bin/sh\necho hello\n", b"\xff")
    }
    changed, program, odd = (
        PinnedFile(path=path, size=len(data), sha256=sha256, executable=path.startswith("bin/"))
        for path, (sha256, data) in zip(
            (f"{SITE}/tqdm/gui.py", "bin/hello", f"{SITE}/odd/\udcff.py"),
            files.items(),
            strict=True,
        )
    )
    lock = Lock(
        python=wheels.lock.python,
        platform="linux/amd64",
        wheels=wheels.lock.wheels,
        files=(FilesPin(name="hello", version="1", files=(program,), origin="files"),),
        overlay=(changed, odd),
        removed=(f"{SITE}/tqdm/keras.py", "bin/tqdm"),
    )
    native = bench.native(lock, wheels, files)
    assert f"opt/sendoff/env/{SITE}/tqdm/keras.py" not in paths(native)
    assert bench.installed(lock, wheels, files) == native


def test_a_source_that_compiles_c(bench: Bench, scientific_wheels: Wheels) -> None:
    sources = index_sources.find(bench.python.prefix, bench.root)
    archive = source_archives.find("crcmod", "1.7", sources)
    assert archive
    assert archive.filename == "crcmod-1.7.tar.gz"
    house = Wheelhouse(root=bench.root / "wheels", sources=sources)
    question = Question(python=bench.python.executable, project=bench.root, sources=sources)
    workshop = Workshop(bench.builder, bench.base, target.of(bench.python))
    wheelwright = Wheelwright(workshop, house, question, bench.root / "built")
    source = Source(name="crcmod", version="1.7", url=archive.url, sha256=archive.sha256)
    built = wheelwright.make(source)
    assert built.pin.filename == "crcmod-1.7-cp311-cp311-linux_x86_64.whl"
    assert [pin.name for pin in built.requirements] == ["setuptools"]
    assert wheelwright.make(source) == built
    requests = scientific_wheels.only("requests").by_pin
    wheels = Wheels([house.path(built.pin), *requests.values()], scientific_wheels.lock.python)
    native = bench.native(wheels.lock, wheels, {})
    extension = "crcmod/_crcfunext.cpython-311-x86_64-linux-gnu.so"
    assert f"opt/sendoff/env/{SITE}/{extension}" in paths(native)
    assert bench.installed(wheels.lock, wheels, {}) == native


def test_a_wheel_that_is_not_the_locked_one_goes_nowhere(
    bench: Bench, scientific_wheels: Wheels, tmp_path: Path
) -> None:
    wheels = scientific_wheels.only("tqdm")
    (pin,) = wheels.lock.wheels
    altered = tmp_path / pin.filename
    altered.write_bytes(wheels.paths[pin.sha256].read_bytes() + b"x")
    wheels.paths[pin.sha256] = altered
    with pytest.raises(WheelHashMismatch) as refused:
        bench.installed(wheels.lock, wheels, {})
    assert pin.filename in refused.value.what()
