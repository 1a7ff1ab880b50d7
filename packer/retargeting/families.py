"""Families of packages with a build for each CUDA line: `families.toml`, as values. Pure."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import msgspec

from packer.environment import cuda
from packer.environment.distribution import Distribution
from packer.record import Record, decodable

_DATA = Path(__file__).with_name("families.toml")
_MAJORS = tuple(dict.fromkeys(map(cuda.major, cuda.LINES)))

Known = Mapping[str, Distribution]
"""Name → what is installed."""


class Family(Record, frozen=True):
    """Packages that are built for the same CUDA line."""

    name: str
    rule: Literal["local version", "extra", "name"]
    members: tuple[str, ...]
    parts: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """Names that are of use on other systems than Linux alone."""
    extra: str = ""
    proof: str = ""
    """The name that tells a build for CUDA, where no version does."""

    def installed(self, known: Known) -> list[str]:
        """Its members among what is installed."""
        return [name for name in self.members if name in known]

    def has_part(self, name: str) -> bool:
        """Whether a distribution of this name comes and goes with the family's build."""
        return any(fnmatchcase(name, pattern) for pattern in self.parts)

    def line(self, known: Known) -> str:
        """The CUDA line of what is installed: "12.4", or "12" where no more shows; "" for none."""
        if self.rule == "local version":
            return self._local_line(known)
        return next((each for each in _MAJORS if self.proof.format(major=each) in known), "")

    def proved(self, names: Iterable[str], line: str) -> bool:
        """Whether a build with these distributions is one for `line`."""
        return not self.proof or self.proof.format(major=cuda.major(line)) in names

    def replaced(self, known: Known) -> list[str]:
        """Its installed members whose wheels are others in another build."""
        return [] if self.rule == "extra" else self.installed(known)

    def requirements(self, known: Known, line: str) -> list[str]:
        """What to ask for to have the installed members' versions for `line`; "" for none."""
        installed = self.installed(known)
        if self.rule == "local version":
            tag = cuda.backend(line)
            return [f"{name}=={public(known[name].version)}+{tag}" for name in installed]
        if self.rule == "extra":
            first, build = self.members[0], self.extra.format(major=cuda.major(line))
            return [f"{first}[{build}]=={known[first].version}"] if line and first in known else []
        build = self.proof.format(major=cuda.major(line)) if line else installed[0]
        return [f"{build}=={known[installed[0]].version}"]

    def plain(self, known: Known) -> list[str]:
        """The same from the package index, whose build for Linux has a line of its own."""
        if self.rule != "local version":
            return []
        return [f"{name}=={public(known[name].version)}" for name in self.installed(known)]

    def _local_line(self, known: Known) -> str:
        """By local versions, which are of one line; without any, by what the first one needs."""
        lines = [cuda.of(name, known[name].version) for name in self.installed(known)]
        first = known.get(self.members[0])
        if first and "+" not in first.version and any("nvidia-" in each for each in first.requires):
            lines += [cuda.of(name, each.version) for name, each in known.items()]
        return cuda.newest(lines)


def public(version: str) -> str:
    """`version` without its local part: "2.5.1" of "2.5.1+cpu"."""
    return version.partition("+")[0]


@functools.cache
def every() -> tuple[Family, ...]:
    """Every family."""
    tables = tomllib.loads(_DATA.read_text())
    return tuple(
        msgspec.convert({"name": name, **table}, decodable(Family))
        for name, table in tables.items()
    )
