"""Which wheels run on a target, by the tags in their names (PEP 425)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class _Wheel(Protocol):
    @property
    def filename(self) -> str: ...


W = TypeVar("W", bound=_Wheel)

_OLD = {"1": 5, "2010": 12, "2014": 17}
_GLIBC = re.compile(r"-manylinux(_2_\d+|1|2010|2014)_")


def ranked(wheels: Iterable[W], tags: Sequence[str]) -> list[W]:
    """Those with one of `tags`, of which the first is the best: by the best that each has."""
    rank = {tag: place for place, tag in enumerate(tags)}
    places = [
        (min((rank[tag] for tag in of(wheel.filename) if tag in rank), default=-1), wheel)
        for wheel in wheels
    ]
    return [wheel for place, wheel in sorted(places, key=lambda pair: pair[0]) if place >= 0]


def glibc(tags: Iterable[str]) -> int:
    """N of the oldest glibc 2.N that a wheel with these tags runs with (PEP 600); 0 for any.

    "py3-none-any" and tags of other systems ask for none.
    """
    found = [_GLIBC.search(tag.lower()) for tag in tags]
    return min((_of_glibc(each[1]) if each else 0 for each in found), default=0)


def _of_glibc(name: str) -> int:
    """Of "_2_28", or of a name of before PEP 600."""
    return _OLD[name] if name in _OLD else int(name.removeprefix("_2_"))


def of(filename: str) -> set[str]:
    """The tags of a wheel's name, one by one (PEP 425, "Compressed Tag Sets")."""
    python, abi, platform = filename.removesuffix(".whl").lower().split("-")[-3:]
    return {
        f"{one}-{two}-{three}"
        for one in python.split(".")
        for two in abi.split(".")
        for three in platform.split(".")
    }
