"""The GPU classes that can be asked for by name: those that are known, and a site's own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dispatcher.gpu_expression import canonical
from dispatcher.kubernetes import gpu_tables
from dispatcher.kubernetes.gpu_classes import MIG, GpuClass, slices
from dispatcher.kubernetes.refusals import GpuUnknown

_DATA = Path(__file__).with_name("gpu-classes.toml")


class Catalogue:
    """Classes by name."""

    def __init__(self, classes: Mapping[str, GpuClass]) -> None:
        self._classes = dict(classes)

    @classmethod
    def known(cls, site: Mapping[str, Any] | None = None) -> Catalogue:
        """The known classes, and over them those of a site's configuration; see `gpu_tables`.

        Raises:
            GpuClassInvalid
        """
        classes: dict[str, GpuClass] = {}
        for tables in (tomllib.loads(_DATA.read_text()), site or {}):
            for name, table in tables.items():
                found = gpu_tables.read(name, table, classes)
                classes[found.name] = found
        return cls(classes)

    def find(self, name: str) -> tuple[GpuClass, ...]:
        """The forms that a class can have on a cluster, the likeliest first.

        Most have one; a slice, "h100-mig-1g.10gb" or "h100:mig-1g.10gb", has two.

        Raises:
            GpuUnknown: with the nearest names.
        """
        wanted = canonical(name)
        if wanted in self._classes:
            return (self._classes[wanted],)
        whole, cut, profile = wanted.partition("-" + MIG)
        base = self._classes.get(whole) if cut else None
        if base and profile in base.mig:
            return slices(base, profile)
        raise GpuUnknown(name, self._near(wanted, base), self.names())

    def names(self) -> tuple[str, ...]:
        """Every name that can be asked for, slices aside."""
        return tuple(self._classes)

    def __iter__(self) -> Iterator[GpuClass]:
        return iter(self._classes.values())

    def _near(self, name: str, base: GpuClass | None) -> tuple[str, ...]:
        from difflib import get_close_matches

        some = [f"{base.name}-{MIG}{size}" for size in base.mig] if base else [*self._classes]
        return tuple(get_close_matches(name, some, n=3, cutoff=0.5))
