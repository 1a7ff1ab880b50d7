"""Programs the tests use: where each comes from, built or installed the first time it is asked for.

What Debian lacks is compiled from Go modules, pinned by the go.mod and go.sum in `recipes/`, into
a cache directory named for those pins. A killed build leaves nothing that is believed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.stack import debian
from tests.stack.locking import locked
from tests.stack.places import CACHE, RECIPES
from tests.stack.unavailable import Unavailable

# In this order: what other tests wait for comes first.
SERVERS = ("minio", "etcd", "kubernetes", "kwok", "buildkit")
ORDER = (*SERVERS, "crane", "buildx", "referrers")


@dataclass(frozen=True)
class Recipe:
    """One Go module and the programs that are built from it, in one go."""

    name: str
    module: str
    packages: dict[str, str]
    """Program → its package, relative to the module, or to the recipe if that has a main.go."""
    link: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, name: str) -> Recipe:
        table = tomllib.loads((RECIPES / name / "recipe.toml").read_text())
        link = tuple(sorted(table.get("link", {}).items()))
        return cls(name, table["module"], table["programs"], link)

    @property
    def directory(self) -> Path:
        return RECIPES / self.name

    @property
    def import_paths(self) -> list[str]:
        own = (self.directory / "main.go").exists()
        root = f"sendoff.test/stack/{self.name}" if own else self.module
        return [str(PurePosixPath(root, each)) for each in self.packages.values()]

    @property
    def version(self) -> str:
        lines = (self.directory / "go.mod").read_text().splitlines()
        words = (line.removeprefix("require").split() for line in lines)
        return next(each[1] for each in words if each[:1] == [self.module] and "=>" not in each)

    @property
    def home(self) -> Path:
        """Where the programs are once built; the name depends on everything pinned."""
        pins = hashlib.sha256()
        for path in sorted(self.directory.iterdir()):
            pins.update(path.read_bytes())
        return CACHE / f"{self.name}-{self.version}-{pins.hexdigest()[:12]}"

    @property
    def linker_flags(self) -> str:
        major, minor = self.version.removeprefix("v").split(".")[:2]
        values = {"version": self.version, "major": major, "minor": minor}
        names = [f"-X {name}={value.format(**values)}" for name, value in self.link]
        return " ".join(["-s", "-w", *names])


def program(name: str) -> Path:
    """The path of program `name`, built or installed now if it is not there yet.

    Raises:
        Unavailable: there is no Go toolchain or we are not root, or the build failed.
    """
    for recipe in map(Recipe.read, ORDER):
        if name in recipe.packages:
            return _built(recipe) / name
    if name not in debian.PACKAGES:
        raise KeyError(name)
    debian.install([name])
    found = debian.installed(name)
    assert found, name
    return found


def build(names: Iterable[str] = ORDER) -> None:
    """Build everything in the recipes `names`, each unless it is built already.

    Raises:
        Unavailable: see `program`.
    """
    for name in names:
        _built(Recipe.read(name))


def _built(recipe: Recipe) -> Path:
    home = recipe.home
    if home.is_dir():
        return home / "bin"
    with locked(CACHE / f"{recipe.name}.lock"):
        if not home.is_dir():
            _sweep(recipe)
            _compile(recipe, home)
    return home / "bin"


def _sweep(recipe: Recipe) -> None:
    """Remove what a killed build left; its lock is ours, so nobody works there."""
    for unfinished in CACHE.glob(f".{recipe.name}-*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def _compile(recipe: Recipe, home: Path) -> None:
    go = shutil.which("go")
    if not go:
        raise Unavailable(f"no Go toolchain to build {', '.join(recipe.packages)} with")
    sys.stderr.write(f"building {', '.join(recipe.packages)} {recipe.version} (once)\n")
    sys.stderr.flush()
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=CACHE))
    (work / "bin").mkdir()
    flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", recipe.linker_flags]
    done = subprocess.run(
        [go, "build", *flags, "-o", f"{work / 'bin'}/", *recipe.import_paths],
        cwd=recipe.directory,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(work)
        raise Unavailable(f"building {recipe.name} failed: {done.stdout.strip()[-600:]}")
    for name, path in zip(recipe.packages, recipe.import_paths, strict=True):
        # Go names a program for its package, less a major version (go help build).
        parts = [each for each in path.split("/") if not re.fullmatch("v[0-9]+", each)]
        (work / "bin" / parts[-1]).rename(work / "bin" / name)
    # Read by everyone, whatever umask the builder has.
    work.chmod(0o755)
    work.rename(home)
    sys.stderr.write(f"built {recipe.name} in {time.monotonic() - started:.0f} s\n")
