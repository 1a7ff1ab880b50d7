"""Which wheels run on a target, by the tags in their names (PEP 425)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class _Wheel(Protocol):
    @property
    def filename(self) -> str: ...


W = TypeVar("W", bound=_Wheel)


def ranked(wheels: Iterable[W], tags: Sequence[str]) -> list[W]:
    """Those with one of `tags`, of which the first is the best: by the best that each has."""
    rank = {tag: place for place, tag in enumerate(tags)}
    places = [
        (min((rank[tag] for tag in of(wheel.filename) if tag in rank), default=-1), wheel)
        for wheel in wheels
    ]
    return [wheel for place, wheel in sorted(places, key=lambda pair: pair[0]) if place >= 0]


def of(filename: str) -> set[str]:
    """The tags of a wheel's name, one by one (PEP 425, "Compressed Tag Sets")."""
    python, abi, platform = filename.removesuffix(".whl").lower().split("-")[-3:]
    return {
        f"{one}-{two}-{three}"
        for one in python.split(".")
        for two in abi.split(".")
        for three in platform.split(".")
    }
