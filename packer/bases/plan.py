"""What a build of bases has to do: a pure function of the catalogue and of what is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from packer.bases.catalogue import Catalogue, Python
from packer.bases.errors import BaseWithoutPython
from packer.record import Record

PLATFORM = "linux/amd64"
BELOW = "below"
"""What a Dockerfile's ROOT is called where that is another base of the same build."""

_UV_PYTHON = "/opt/python/cpython-{version}-linux-x86_64-gnu/bin/python{minor}"


class Target(Record, frozen=True):
    """One base for one Python minor."""

    name: str
    python: str
    """The minor."""
    folder: str
    root: str
    """The image that it, or the base below it, is made from."""
    arguments: dict[str, str]
    """Build arguments, ROOT among them."""
    below: str = ""
    """The `id` of the base it is built upon; empty for the root itself."""

    @property
    def id(self) -> str:
        """Its name in a build, where no dot may be: "cpu-3-11"."""
        return f"{self.name}-{self.python}".replace(".", "-")

    @property
    def title(self) -> str:
        """Its name for people, and its tag: "cpu:3.11"."""
        return f"{self.name}:{self.python}"


class Wish(Record, frozen=True):
    """What is asked for."""

    names: tuple[str, ...] = ()
    """Bases, "cpu" or "cpu:3.11"; none: all."""
    pythons: tuple[str, ...] = ()
    """Minors, where a name has none; none: all."""
    root: str = ""
    """The image to make them from instead of the catalogue's roots, with the sources it has."""


def plan(catalogue: Catalogue, wish: Wish) -> tuple[Target, ...]:
    """The targets asked for and those they are built upon, each after what is below it.

    Raises:
        BaseNotInCatalogue, BaseWithoutPython
    """
    found: dict[str, Target] = {}
    for name, minor in wanted(catalogue, wish):
        line = []
        above: str | None = name
        while above:
            line.append(above)
            above = catalogue.bases[above].on
        for each in reversed(line):
            target = _target(catalogue, each, minor, wish.root)
            found[target.id] = target
    return tuple(found.values())


def wanted(catalogue: Catalogue, wish: Wish) -> tuple[tuple[str, str], ...]:
    """The names and Python minors that are asked for themselves.

    Raises:
        BaseNotInCatalogue, BaseWithoutPython
    """
    found: dict[tuple[str, str], None] = {}
    for asked in wish.names or tuple(catalogue.bases):
        name, _, minor = asked.partition(":")
        has = catalogue.base(name).pythons
        chosen = (minor,) if minor else wish.pythons or has
        for each in chosen:
            if each not in has:
                # Of all bases, those that have it.
                if not wish.names:
                    continue
                raise BaseWithoutPython(name, each, has)
            found[name, each] = None
    if not found:
        raise BaseWithoutPython("at all", ", ".join(wish.pythons), tuple(catalogue.pythons))
    return tuple(found)


def epoch(catalogue: Catalogue, minor: str) -> int:
    """The time that no file is newer than, in seconds since 1970."""
    snapshot = catalogue.roots[catalogue.pythons[minor].root].snapshot
    if not snapshot:
        return 0
    return int(datetime.strptime(snapshot, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


def interpreter(minor: str, python: Python) -> str:
    """The in-image path of the interpreter."""
    if python.uv:
        return _UV_PYTHON.format(version=python.version, minor=minor)
    return f"/usr/bin/python{minor}"


def reference(catalogue: Catalogue, minor: str) -> str:
    """The root image by its digest."""
    root = catalogue.roots[catalogue.pythons[minor].root]
    return f"{root.image}@{root.digest}"


def _target(catalogue: Catalogue, name: str, minor: str, root: str) -> Target:
    entry, python = catalogue.bases[name], catalogue.pythons[minor]
    image = root or reference(catalogue, minor)
    below = f"{entry.on}-{minor}".replace(".", "-") if entry.on else ""
    snapshot = "" if root else catalogue.roots[python.root].snapshot
    arguments = {
        "ROOT": BELOW if below else image,
        "NAME": name,
        "SOURCE_DATE_EPOCH": str(epoch(catalogue, minor)),
        "PYTHON": interpreter(minor, python),
        "PYTHON_VERSION": python.version,
        "PYTHON_FROM": "uv" if python.uv else "debian",
    }
    further = {
        "PYTHON_PACKAGES": " ".join(python.packages),
        "UV_VERSION": python.uv,
        "SNAPSHOT": snapshot,
        "GLIBC": catalogue.roots[python.root].glibc,
        "CUDA": entry.cuda,
        "DRIVER": entry.driver,
    }
    return Target(
        name=name,
        python=minor,
        folder=entry.folder,
        root=image,
        arguments=arguments | {key: value for key, value in further.items() if value},
        below=below,
    )


def requested(targets: Iterable[Target], names: Iterable[tuple[str, str]]) -> tuple[Target, ...]:
    """Those of `targets` that were asked for themselves."""
    chosen = set(names)
    return tuple(each for each in targets if (each.name, each.python) in chosen)
