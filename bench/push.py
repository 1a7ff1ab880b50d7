"""From a change in the project to the digest of the new image in a registry."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import builders, sandbox
from bench.builders import BuildKit
from bench.code_change import change
from bench.measure import Row, command, paired, times
from packer.image_paths import WORKSPACE
from packer.images import image
from packer.images.base import Base
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers import code_layers
from packer.layers.code_layers import Tree
from packer.layers.layer import Layer
from packer.project import snapshot
from packer.registry.access import Access
from packer.registry.pull import for_push
from packer.registry.push_request import Pushed, PushRequest
from packer.registry.reference import Repository
from packer.registry.registry import Registry


class Size(NamedTuple):
    """A project, and how many times as fast as the other tool its push is to be."""

    what: str
    files: int
    size: int
    goals: dict[str, float]
    whole: float
    runs: int


SIZES = (
    Size(
        "200 files, 0.9 MB",
        200,
        4_500,
        {"gzip": 10, "zstd": 5, "reproducible": 100, "crane": 2},
        3,
        20,
    ),
    Size("1,100 files, 23 MB", 1_100, 21_000, {"gzip": 10, "zstd": 5, "crane": 2}, 6, 9),
)
OVERHEAD = 20_000
"""Bytes that may move besides the code layer."""

_NAMES = {
    "gzip": "buildx --push, COPY --link, gzip",
    "zstd": "the same, zstd -1",
    "reproducible": "the same, gzip, rewrite-timestamp",
    "crane": "tar + crane append",
}


def rows(folder: Path) -> list[Row]:
    from tests.registries.process import RegistryProcess
    from tests.stack import base, images

    measured = []
    with (
        RegistryProcess(folder / "registry") as server,
        BuildKit(folder / "buildkit", server.host) as builder,
    ):
        images.push(base.debian(), server.host, "bench/base", "1")
        builder.environment(f"{server.host}/bench/base:1", f"{server.host}/bench/environment:1")
        for each in SIZES:
            there = _Bench(each, folder / str(each.files), server.host, builder)
            measured += [*there.in_process(), there.whole_command(), there.bytes_moved()]
    return measured


class _Bench:
    """One project, everything warm."""

    def __init__(self, size: Size, folder: Path, host: str, builder: BuildKit) -> None:
        self._size, self._folder, self._host, self._builder = size, folder, host, builder
        self._project = sandbox.project(folder / "project", size.files, size.size)
        self._base, self._environment = f"{host}/bench/base:1", f"{host}/bench/environment:1"
        self._name = f"{host}/bench/size{size.files}"
        self._change = change(self._project)

    def in_process(self) -> list[Row]:
        ours = push(self._project, self._folder / "ours", self._name, self._environment)
        what = f"1 of {self._size.what} changed → in the registry, in process"
        measured = []
        for name, goal in self._size.goals.items():
            runs = 5 if name == "reproducible" else self._size.runs
            sides = ((self._change, ours), (self._change, self._peer(name)))
            timings = paired(*sides, runs=runs, warmup=1, settled=True)
            measured.append(times(what, *timings, _NAMES[name], goal))
        return measured

    def whole_command(self) -> Row:
        env = sandbox.environment(
            self._folder / "command", sandbox.venv("science", sandbox.SCIENCE)
        )
        env |= {
            "SENDOFF_REGISTRY": f"{self._host}/bench/command",
            "SENDOFF_BASE": self._base,
        }

        def pack(more: dict[str, str]) -> Callable[[], object]:
            return command([sandbox.SENDOFF, "pack"], env=env | more, cwd=self._project)

        with sandbox.warm(self._folder / "warm", pack) as variables:
            sides = ((self._change, pack(variables)), (self._change, self._peer("gzip")))
            timings = paired(*sides, runs=self._size.runs, warmup=1, settled=True)
        what = f"the same by `sendoff pack`, {self._size.what}"
        self._prove(env)
        return times(what, *timings, _NAMES["gzip"], self._size.whole)

    def _prove(self, env: dict[str, str]) -> None:
        """See that the command did push what it printed."""
        done = subprocess.run(
            [sandbox.SENDOFF, "pack"], env=env, cwd=self._project, capture_output=True, check=True
        )
        there = Registry(Repository.parse(env["SENDOFF_REGISTRY"]), Access(), self._folder)
        if not there.has(done.stdout.decode().split()[0]):
            raise RuntimeError(f"{done.stdout!r} is not in {there.repository}")

    def bytes_moved(self) -> Row:
        """Counted on the wire: what goes up besides the new code layer."""
        from tests.faults.proxy import Proxy

        with Proxy(_address(self._host)) as proxy:
            name = f"127.0.0.1:{proxy.port}/bench/size{self._size.files}"
            ours = push(self._project, self._folder / "counted", name, self._environment)
            ours()
            self._change()
            proxy.forget()
            pushed = ours()
            moved = proxy.up + proxy.down
        layer = max(_size(self._folder / "counted", digest) for digest in pushed.uploaded)
        what = f"moved for 1 of {self._size.what}, besides the code layer of {layer / 1e3:.0f} kB"
        beside = moved - layer
        return Row(
            what, f"{beside / 1e3:.1f} kB", "", f"≤ {OVERHEAD / 1e3:g} kB", beside <= OVERHEAD
        )

    def _peer(self, name: str) -> Callable[[], object]:
        target = f"{self._host}/bench/{name}{self._size.files}:1"
        if name == "crane":
            return builders.crane(self._project, self._folder, self._environment, target)
        return self._builder.push(self._project, self._base, target, name)


def push(project: Path, home: Path, name: str, base_name: str) -> Callable[[], Pushed]:
    """Pack the code of `project` on a base, in this process, and push it."""
    layout = Layout(home / "layout")
    registry = Registry(Repository.parse(name), Access(), home / "cache")
    base = registry.base(base_name, "linux/amd64")

    def work() -> Pushed:
        taken = snapshot.take(project, cache=home / "cache")
        tree = Tree(snapshot=taken, source=project, target=WORKSPACE)
        code = code_layers.build((tree,), layout, home / "cache" / "layers")
        made = image.write(_image(base, code), layout)
        request = PushRequest(layout=layout.root, images=(made.digest,), base=for_push(base))
        return registry.push(request)

    return work


def _image(base: Base, code: tuple[Layer, ...]) -> Image:
    return Image(layers=code, platform=base.platform, python=base.python_version, base=base)


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.partition(":")
    return name, int(port)


def _size(home: Path, digest: str) -> int:
    return (home / "layout" / "blobs" / "sha256" / digest.removeprefix("sha256:")).stat().st_size
