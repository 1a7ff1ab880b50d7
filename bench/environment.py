"""From an installed environment to its image, cold, changed and unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench import sandbox
from bench.measure import Row, Timing, command, limit, paired, shell, times
from packer.environment import materials
from packer.environment.interpreter import Interpreter, describe
from packer.environment.sandbox import Sandbox
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT

CHANGED = tuple("pandas==2.3.2" if name.startswith("pandas") else name for name in sandbox.SCIENCE)
RUNS = 7
HUNDRED = Path(__file__).with_name("hundred.txt")


def rows(folder: Path) -> list[Row]:
    cache = sandbox.CACHE / "sendoff"
    before = _Environment(sandbox.venv("science", sandbox.SCIENCE), cache)
    after = _Environment(sandbox.venv("science-changed", CHANGED), cache)
    before.fetch()
    after.fetch()
    ours, peer = folder / "ours", folder / "peer"
    sides = (shell(f"rm -rf {ours}"), before.build(ours)), _install(sandbox.SCIENCE, peer)
    cold = paired(*sides, runs=RUNS, warmup=0, settled=True)
    return [
        times("five-package science environment → image layers, wheels cached", *cold, PEER, 5),
        _change(before, after, folder),
        _unchanged(folder),
    ]


PEER = "uv pip install, tar, gzip -6"


class _Environment:
    """A sandbox, resolved, with its wheels at hand."""

    def __init__(self, venv: Path, cache: Path) -> None:
        self._interpreter: Interpreter = describe(venv / "bin" / "python", cache)
        request = Sandbox(interpreter=self._interpreter, project=venv, cache=cache)
        self._resolved = materials.resolve(request, SILENT)

    def fetch(self) -> None:
        dict(self._resolved.fetch(self._resolved.lock.wheels))

    def build(self, home: Path) -> Callable[[], object]:
        found = self._resolved

        def work() -> None:
            build_layers(
                found.lock,
                found.files,
                found.fetch,
                self._interpreter,
                Layout(home / "layout"),
                home / "memory",
                SILENT,
            )

        return work


def _install(
    requirements: tuple[str, ...], home: Path
) -> tuple[Callable[[], object], Callable[[], object]]:
    """The same environment as a shell makes a layer of it: uv's cache is warm, no bytecode."""
    python = sandbox.venv("science", sandbox.SCIENCE) / "bin" / "python"
    plain = "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner"
    script = (
        f"{sandbox.UV} venv -q --python {python} {home}/env\n"
        f"{sandbox.UV} pip install -q --offline --python {home}/env/bin/python"
        f" {' '.join(requirements)}\n"
        # 1 is for a file that "changed": uv's cache links the same file into other environments.
        f"(tar {plain} -C {home}/env -cf - . || test $? = 1)"
        f" | tee >(sha256sum >{home}/diffid) | gzip -n -6"
        f" | tee {home}/layer | sha256sum"
    )
    return shell(f"rm -rf {home}; mkdir -p {home}"), shell(script)


def _change(before: _Environment, after: _Environment, folder: Path) -> Row:
    ours, peer = folder / "change", folder / "change-peer"

    def first() -> None:
        shell(f"rm -rf {ours}")()
        before.build(ours)()

    sides = (first, after.build(ours)), _install(CHANGED, peer)
    mine, theirs = paired(*sides, runs=RUNS, warmup=0, settled=True)
    return times("the same after pandas changed its version", mine, theirs, PEER, 20)


def _unchanged(folder: Path) -> Row:
    """What it adds to a command that nothing else has changed for, as all but the first are done:
    by a warm process, which the kernel tells of changes.
    """
    hundred = sandbox.venv("hundred", ("--no-deps", *HUNDRED.read_text().split()))
    project = sandbox.project(folder / "project", 200, 4_500)

    def packing(venv: Path) -> Callable[[dict[str, str]], Callable[[], object]]:
        environment = sandbox.environment(folder, venv)
        return lambda extra: command(
            [sandbox.SENDOFF, "pack"], env={**environment, **extra}, cwd=project
        )

    ours, bare = packing(hundred), packing(sandbox.venv("one", ("six==1.17.0",)))
    with sandbox.warm(folder / "warm", ours) as extra:
        with_it, without = paired((None, ours(extra)), (None, bare(extra)), warmup=5)
    pairs = zip(with_it.seconds, without.seconds, strict=True)
    added = Timing(tuple(more - less for more, less in pairs))
    count = len(list((hundred / "lib").glob("python*/site-packages/*.dist-info")))
    return limit(f"an unchanged environment of {count} distributions adds", added, 0.020)
