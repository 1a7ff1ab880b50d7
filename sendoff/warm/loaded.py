"""The files of all that this process has imported, and whether they are as they were then."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

from packer import inotify

_Stamp = tuple[int, int, int]


class Loaded:
    """Those of the modules there are now, and `further` ones."""

    def __init__(self, further: Iterable[str] = ()) -> None:
        modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        paths = (*filter(None, modules), *further, *sys.path)
        self._stamps = {path: _stamp(path) for path in paths}
        self._instance = -1

    @property
    def newest(self) -> int:
        """When one of them was changed last, in nanoseconds since the epoch."""
        return max((stamp[0] for stamp in self._stamps.values() if stamp), default=0)

    def watch(self) -> bool:
        """Have the kernel tell of changes from now on, where it can; whether there were none."""
        directories = {os.fsencode(os.path.dirname(path)) for path in self._stamps}
        directories |= {os.fsencode(path) for path in sys.path if os.path.isdir(path)}
        with suppress(OSError):
            instance = inotify.instance()
            there = {path for path in directories if path and os.path.isdir(path)}
            if inotify.watch(instance, there):
                self._instance = instance
            else:
                os.close(instance)
        return self._are_the_same()

    def unchanged(self) -> bool:
        """Whether all are as they were. Forks may ask as well."""
        if self._instance >= 0:
            return inotify.is_quiet(self._instance)
        return self._are_the_same()

    def _are_the_same(self) -> bool:
        return all(_stamp(path) == stamp for path, stamp in self._stamps.items())


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
