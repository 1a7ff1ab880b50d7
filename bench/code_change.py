"""From a change in the project to the digest of the new image in the layout."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from bench import sandbox
from bench.measure import Row, alone, command, limit, ms, paired, ratio, shell
from packer.image_paths import WORKSPACE
from packer.images import image
from packer.images.image import Image
from packer.images.layout import Layout
from packer.layers import code_layers
from packer.layers.code_layers import Tree
from packer.project import snapshot

# Files, bytes of each, goals in seconds: one file changed, none changed.
TREES = (
    ("200 files, 0.9 MB", 200, 4_500, 0.030, 0.015),
    ("1,100 files, 23 MB", 1_100, 21_000, 0.060, 0.030),
    ("10,000 files, 10 MB", 10_000, 1_000, 0.160, 0.100),
)
COMMAND_GOAL = 0.200


def rows(folder: Path) -> list[Row]:
    measured = []
    for what, files, size, changed, unchanged in TREES:
        home = folder / str(files)
        project = sandbox.project(home / "project", files, size)
        measured += _in_process(what, project, home, changed, unchanged)
    return [*measured, _whole_command(folder)]


def digest(project: Path, home: Path) -> Callable[[], object]:
    """Pack the code of `project` in this process, into a layout below `home`."""

    def work() -> str:
        layout = Layout(home / "layout")
        taken = snapshot.take(project, cache=home / "cache")
        tree = Tree(snapshot=taken, source=project, target=WORKSPACE)
        layers = code_layers.build((tree,), layout, home / "cache" / "layers")
        made = Image(layers=layers, platform="linux/amd64", python="3.11.7")
        return image.write(made, layout).digest

    return work


def change(project: Path) -> Callable[[], object]:
    """Edit one file of `project`, another one and differently each time."""
    files = sorted(project.rglob("*.py"))
    numbers = itertools.count()

    def work() -> None:
        number = next(numbers)
        path = files[number * 37 % len(files)]
        path.write_text(f"changed = {number}\n" + path.read_text().split("\n", 1)[1])

    return work


def _in_process(
    what: str, project: Path, home: Path, changed: float, unchanged: float
) -> list[Row]:
    ours, peer = paired(
        (change(project), digest(project, home)), (None, _tar(project, home)), warmup=2
    )
    still = alone(digest(project, home), warmup=3)
    return [
        limit(
            f"1 of {what} changed → new digest in the layout, in process", ours, changed
        )._replace(peer=f"tar + gzip -6 + sha256sum: {ms(peer.median)}, {ratio(ours, peer):.1f} ×"),
        limit(f"nothing of {what} changed, in process", still, unchanged),
    ]


def _tar(project: Path, home: Path) -> Callable[[], object]:
    """A reproducible layer as a shell makes it."""
    plain = "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu"
    return shell(
        f"tar {plain} -C {project} -cf - . | gzip -n -6 | tee {home}/layer.tar.gz | sha256sum"
    )


def _whole_command(folder: Path) -> Row:
    python = sandbox.venv("science", sandbox.SCIENCE)
    project = sandbox.project(folder / "command" / "project", 200, 4_500)
    env = sandbox.environment(folder / "command", python)

    def work(extra: dict[str, str]) -> Callable[[], object]:
        return command([sandbox.SENDOFF, "pack"], env={**env, **extra}, cwd=project)

    with sandbox.warm(folder / "warm", work) as extra:
        timing = alone(work(extra), before=change(project))
    return limit("1 of 200 files changed, `sendoff pack` as a whole", timing, COMMAND_GOAL)
