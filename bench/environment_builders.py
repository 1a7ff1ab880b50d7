"""From an environment whose wheels are at hand to its image in a registry, by each builder.

BuildKit has a Dockerfile as uv's own guide writes it: cache mounts, wheels by a bind mount,
bytecode compiled (that of test suites too, which sendoff leaves out), one `COPY --link`. Both sides
push to a repository that has nothing yet.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench import sandbox
from bench.builders import BuildKit
from bench.measure import Row, paired, times
from packer.environment import materials
from packer.environment.interpreter import Interpreter, describe
from packer.environment.lock import WheelPin
from packer.environment.sandbox import Sandbox
from packer.images import image
from packer.images.base import Base
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers import interpreter_layer, made_layer
from packer.layers.environment_image import build_layers
from packer.layers.layer_memory import LayerMemory
from packer.progress import SILENT
from packer.registry.access import Access
from packer.registry.pull import for_push
from packer.registry.push_request import Pushed, PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry

PACKAGES = ("opencv-python-headless==5.0.0.93", "lightgbm==4.6.0")
"""One or the other is added: what they need is there already. The second is small, and its bytecode
and names come to more than a twentieth of its wheel.
"""
CODECS = ("gzip", "zstd")
FIRST = dict.fromkeys(CODECS, 5.0)
ADDED = {"gzip": 30.0, "zstd": 10.0}
SHARE = 1.05
"""Bytes moved, as a share of the added wheel's size."""
RUNS = 3

DOCKERFILE = """\
FROM {base} AS build
USER 0
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_CACHE_DIR=/cache
RUN --mount=type=bind,from=uv,target=/uv /uv/uv venv --python {python} /opt/env
ARG RUN
RUN --mount=type=bind,from=uv,target=/uv --mount=type=cache,target=/cache \\
    --mount=type=bind,from=wheels,target=/wheels \\
    /uv/uv pip install --offline --no-index --find-links /wheels --python /opt/env {packages}
FROM {base}
COPY --link --from=build /opt/env /opt/env
ENV PATH=/opt/env/bin:$PATH
"""


class Before(NamedTuple):
    """What is not counted, and what is."""

    prepare: Callable[[], object]
    work: Callable[[], object]


def rows(folder: Path) -> list[Row]:
    from tests.registries.process import RegistryProcess
    from tests.stack import base, images

    with (
        RegistryProcess(folder / "registry") as server,
        BuildKit(folder / "buildkit", server.host) as builder,
    ):
        images.push(base.debian(), server.host, "bench/base", "1")
        native, peer = Native(folder, server.host), Peer(folder, server.host, builder)
        few = native.environment(sandbox.SCIENCE)
        more = [native.environment((*sandbox.SCIENCE, package)) for package in PACKAGES]
        for each in more:
            peer.wheels(each)
        measured = []
        what = "numpy, scipy, pandas, scikit-learn, matplotlib → environment image in a registry"
        for codec in CODECS:
            ours, theirs = native.first(few), peer.first(few, codec)
            measured.append(_row(what, (ours, theirs), codec, FIRST))
        for each in more:
            for codec in CODECS:
                ours, theirs = native.added(few, each), peer.added(few, each, codec)
                what = f"the same after adding {each.requirements[-1]}"
                measured.append(_row(what, (ours, theirs), codec, ADDED))
            measured.append(native.moved(few, each))
        return measured


def _row(what: str, sides: tuple[Before, Before], codec: str, goals: dict[str, float]) -> Row:
    ours, theirs = sides
    pair = (ours.prepare, ours.work), (theirs.prepare, theirs.work)
    timings = paired(*pair, runs=RUNS, warmup=0, settled=True)
    name = {"gzip": "buildx, uv with cache mounts, COPY --link, gzip", "zstd": "the same, zstd -1"}
    return times(what, *timings, name[codec], goals[codec])


class Environment(NamedTuple):
    """A sandbox, resolved, its wheels at hand."""

    requirements: tuple[str, ...]
    resolved: materials.Resolved
    python: Interpreter


class Native:
    """sendoff's own builder and push, in this process."""

    def __init__(self, folder: Path, host: str) -> None:
        self._folder, self._host = folder / "native", host
        registry = Registry(Repository.parse(f"{host}/bench/any"), Access(), folder / "bases")
        self._base: Base = registry.base(f"{host}/bench/base:1", "linux/amd64")

    def environment(self, requirements: tuple[str, ...]) -> Environment:
        further = [each.partition("=")[0] for each in requirements if each not in sandbox.SCIENCE]
        name = "-".join(["science", *further])
        venv, cache = sandbox.venv(name, requirements), sandbox.CACHE / "sendoff"
        python = describe(venv / "bin" / "python", cache)
        found = materials.resolve(Sandbox(interpreter=python, project=venv, cache=cache), SILENT)
        dict(found.fetch(found.lock.wheels))
        return Environment(requirements, found, python)

    def first(self, environment: Environment) -> Before:
        """Nothing is known but the wheels."""
        place = _Place(self._folder, self._host)
        return Before(place.anew, lambda: self._push(environment, place))

    def added(self, few: Environment, more: Environment) -> Before:
        """The environment without the package is in the registry."""
        place = _Place(self._folder, self._host)

        def prepare() -> None:
            place.anew()
            self._push(few, place)

        return Before(prepare, lambda: self._push(more, place))

    def moved(self, few: Environment, more: Environment) -> Row:
        """Counted on the wire."""
        from tests.faults.proxy import Proxy

        name, _, port = self._host.partition(":")
        with Proxy((name, int(port))) as proxy:
            place = _Place(self._folder, f"127.0.0.1:{proxy.port}")
            place.anew()
            self._push(few, place)
            proxy.forget()
            self._push(more, place)
            moved = proxy.up + proxy.down
        (wheel,) = _difference(few, more)
        share = moved / wheel.size
        return Row(
            f"bytes moved for adding {wheel.name}, a wheel of {wheel.size / 1e6:.2f} MB",
            f"{moved / 1e6:.2f} MB, {share:.3f} ×",
            "",
            f"≤ {SHARE} ×",
            share <= SHARE,
        )

    def _push(self, environment: Environment, place: _Place) -> Pushed:
        found, layout = environment.resolved, Layout(place.home / "layout")
        memory = place.home / "memory"
        python, below = environment.python, [layer.digest for layer in self._base.layers]
        # As every pack does: what is made is sent while the rest is being made.
        with place.registry.layers(layout.root, below) as shared:
            layers = build_layers(
                found.lock,
                found.files,
                found.fetch,
                python,
                layout,
                memory,
                SILENT,
                shared=shared,
            )
            shared.settle(SILENT)
        known = LayerMemory(memory, layout)
        last = made_layer.build(interpreter_layer.contents(self._base), layout, known)
        made = image.write(
            Image(
                layers=(*layers, last),
                platform=self._base.platform,
                python=self._base.python_version,
                base=self._base,
            ),
            layout,
        )
        request = PushRequest(layout=layout.root, images=(made.digest,), base=for_push(self._base))
        return place.registry.push(request)


class _Place:
    """A layout, a memory and a repository that are empty when asked to be."""

    _numbers = itertools.count()

    def __init__(self, folder: Path, host: str) -> None:
        self._folder, self._host = folder, host
        self.home = folder

    def anew(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        number = next(self._numbers)
        self.home = self._folder / str(number)
        repository = Repository.parse(f"{self._host}/bench/native{number}")
        self.registry = Registry(repository, Access(), self.home / "cache")


class Peer:
    """BuildKit, its cache of wheels warm."""

    def __init__(self, folder: Path, host: str, builder: BuildKit) -> None:
        self._folder, self._host, self._builder = folder / "peer", host, builder
        self._numbers = itertools.count()
        self._wheels = self._folder / "wheels"
        self._wheels.mkdir(parents=True)
        (self._folder / "uv").mkdir()
        shutil.copy(sandbox.UV, self._folder / "uv" / "uv")

    def wheels(self, environment: Environment) -> None:
        """Have all wheels where its builds find them."""
        pins = environment.resolved.lock.wheels
        for path in dict(environment.resolved.fetch(pins)).values():
            shutil.copy(path, self._wheels)

    def first(self, environment: Environment, codec: str) -> Before:
        return self._anew(environment, self._name("first", codec), codec)

    def added(self, few: Environment, more: Environment, codec: str) -> Before:
        name = self._name("added", codec)
        self._build(few.requirements, f"{name}:few", codec)
        return self._anew(more, name, codec)

    def _anew(self, environment: Environment, name: str, codec: str) -> Before:
        packages = environment.requirements
        return Before(self._next, lambda: self._build(packages, f"{name}:{self._number}", codec))

    def _name(self, what: str, codec: str) -> str:
        return f"{self._host}/bench/peer-{what}-{codec}"

    def _next(self) -> None:
        self._number = next(self._numbers)

    def _build(self, packages: tuple[str, ...], name: str, codec: str) -> None:
        text = DOCKERFILE.format(
            base=f"{self._host}/bench/base:1",
            python="/usr/bin/python3",
            packages=" ".join(packages),
        )
        contexts = {each: self._folder / each for each in ("uv", "wheels")}
        # Its step is run each time, as for an environment that nobody has built.
        self._builder.build(text, name, codec, contexts, {"RUN": name})()


def _difference(few: Environment, more: Environment) -> Iterator[WheelPin]:
    known = {pin.sha256 for pin in few.resolved.lock.wheels}
    return (pin for pin in more.resolved.lock.wheels if pin.sha256 not in known)
