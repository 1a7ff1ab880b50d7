"""From one wheel to one layer, with digest and diffID, against unzip, tar and a compressor."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import sandbox
from bench.measure import Row, alone, limit, paired, shell, times
from packer.environment.interpreter import describe
from packer.environment.lock import Lock, WheelPin
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT

WHEELS = ("scipy==1.16.2", "pandas==2.3.3", "numpy==2.3.4")
LARGE = "nvidia-cublas-cu12==12.8.4.1"
"""594 MB: nothing here may hold it in memory."""
MEMORY = 300 * 1024 * 1024


def rows(folder: Path) -> list[Row]:
    wheels = [fetched(each) for each in WHEELS]
    base = sandbox.venv("wheels", WHEELS)
    ours = layer(base, wheels, folder / "ours")
    table = []
    for name, compressor, goal in (("gzip -6", "gzip -n -6", 5), ("zstd -1", "zstd -q -1", 1.5)):
        mine, theirs = paired(ours, unzip_tar(wheels, folder / "peer", compressor))
        table.append(
            times(f"{', '.join(WHEELS)} → layers", mine, theirs, f"unzip, tar, {name}", goal)
        )
    known = alone(build(base, wheels, folder / "ours"), warmup=3)
    table.append(limit(f"the same {len(wheels)} layers, known", known, 0.001 * len(wheels)))
    return [*table, memory(folder / "large")]


def fetched(requirement: str) -> Path:
    """The wheel of `name==version` for this machine, kept between runs."""
    folder = sandbox.CACHE / "wheels" / requirement
    if not any(folder.glob("*.whl")):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--only-binary",
                ":all:",
                "-d",
                folder,
                requirement,
            ],
            check=True,
        )
    return next(folder.glob("*.whl"))


def pin(wheel: Path) -> WheelPin:
    import hashlib

    with wheel.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    name, version = wheel.name.split("-")[:2]
    return WheelPin(
        name=name.replace("_", "-"),
        version=version,
        filename=wheel.name,
        sha256=sha256,
        size=wheel.stat().st_size,
    )


def build(venv: Path, wheels: list[Path], home: Path) -> Callable[[], object]:
    """Make the layers of `wheels` in this process, into a layout below `home`."""
    interpreter = describe(venv / "bin" / "python", home / "cache")
    pins = {each.sha256: (each, path) for path in wheels for each in (pin(path),)}
    lock = Lock(
        python=interpreter.version,
        platform="linux/amd64",
        wheels=tuple(sorted((each for each, _ in pins.values()), key=lambda each: each.name)),
    )
    places = {sha256: path for sha256, (_, path) in pins.items()}

    def work() -> None:
        build_layers(
            lock,
            {},
            lambda _: (each for each in places.items()),
            interpreter,
            Layout(home / "layout"),
            home / "memory",
            SILENT,
        )

    return work


def layer(
    venv: Path, wheels: list[Path], home: Path
) -> tuple[Callable[[], object], Callable[[], object]]:
    """The same, nothing of it known before."""
    return shell(f"rm -rf {home}; mkdir -p {home}/cache"), build(venv, wheels, home)


def unzip_tar(
    wheels: list[Path], home: Path, compressor: str
) -> tuple[Callable[[], object], Callable[[], object]]:
    """What a shell does for each wheel: unpack, tar, hash both sides of the compressor."""
    plain = "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner"
    each = "\n".join(
        f"unzip -q {path} -d {home}/{path.stem} && tar {plain} -C {home}/{path.stem} -cf - . "
        f"| tee >(sha256sum >{home}/diffid) | {compressor} | tee {home}/{path.stem}.layer "
        f"| sha256sum >{home}/digest"
        for path in wheels
    )
    return shell(f"rm -rf {home}; mkdir -p {home}"), shell(each)


def memory(home: Path) -> Row:
    """Peak memory of a process that makes a layer of a very large wheel."""
    wheel = fetched(LARGE)
    home.mkdir(parents=True)
    code = (
        "from pathlib import Path; from bench.wheel_layers import build\n"
        f"build(Path({str(sandbox.venv('empty', ()))!r}), [Path({str(wheel)!r})],"
        f" Path({str(home)!r}))()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    size = wheel.stat().st_size
    return Row(
        f"peak memory, a wheel of {size / 1e6:.0f} MB",
        f"{peak / 1e6:.0f} MB",
        "",
        f"< {MEMORY / 1e6:.0f} MB",
        peak < MEMORY,
    )
